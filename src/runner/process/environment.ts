/** The variable by which a process of ours, and whatever it starts, is known again. */
export const processMarker = "HEADWAY_PROCESS_ID";

const handedOn = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TZ", "TMPDIR"];
const proxies = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"];
const certificates = [
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
];
const always = new Set([
  ...handedOn,
  ...proxies,
  ...proxies.map((name) => name.toUpperCase()),
  ...certificates,
]);

export interface CliEnvironmentSpec {
  serverEnvironment: Readonly<Record<string, string | undefined>>;
  /** What the CLI signs in with; the adapter knows. */
  signInVariables: readonly string[];
  /** Further names that the owner allows (`HEADWAY_PASS_ENV`). */
  passEnv: readonly string[];
  /** What the adapter must set; wins over what is handed on. */
  adapterEnv: Readonly<Record<string, string>>;
  processId: string;
}

/** The whole environment of a CLI: an allow-list, because a variable may be a secret that isn't the CLI's. */
export function cliEnvironment(spec: CliEnvironmentSpec): Record<string, string> {
  const allowed = new Set([...spec.signInVariables, ...spec.passEnv]);
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(spec.serverEnvironment)) {
    if (value !== undefined && isHandedOn(name, allowed)) environment[name] = value;
  }
  return { ...environment, ...spec.adapterEnv, [processMarker]: spec.processId };
}

function isHandedOn(name: string, allowed: ReadonlySet<string>): boolean {
  if (name.startsWith("HEADWAY_")) return false;
  return always.has(name) || name.startsWith("LC_") || allowed.has(name);
}
