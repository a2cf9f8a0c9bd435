import { writeSync } from "node:fs";
import { type App, createApp, ignoreLostOutput, unlessNobodyReads } from "./app.ts";
import { parseConfig } from "./config.ts";

/** Bun closes a connection whose body is larger; our own limit answers 413 before that. */
const socketBodyBytesMax = 64 * 1_048_576;

/** Under npm one Ctrl-C arrives twice: the terminal sends it to us and to npm, and npm passes its own on. */
const echoMsMax = 100;

/** A token with fewer characters can be tried out by whoever reaches the port. */
const guessableTokenChars = 16;

/** One bug may show in several runs at once. One that comes again and again would never let the server end. */
const bugsMax = 10;

const exitCodes = { badConfiguration: 64, bug: 70, portInUse: 74 } as const;

export async function serve(environment: Record<string, string | undefined>): Promise<void> {
  const parsed = parseConfig(environment);
  if (parsed.kind === "bad") return leave(exitCodes.badConfiguration, parsed.message);
  const app = orLeave(() => createApp(parsed.config, { environment }));
  const server = orLeave(() => listen(app, parsed.config.host, parsed.config.port));
  if (!server) {
    const address = `${parsed.config.host}:${parsed.config.port}`;
    return leave(
      exitCodes.portInUse,
      `${address} can't be bound: the port is in use, or the address isn't ours.`,
    );
  }
  endOnSignals(app, server);
  const outcome = await app.start({ host: parsed.config.host, port: server.port ?? 0 });
  if (outcome.kind === "refused") return leave(outcome.exitCode, outcome.message);
  if (app.token.length < guessableTokenChars) {
    app.log("warn", "HEADWAY_TOKEN is short enough to be guessed", {
      charactersAtLeast: guessableTokenChars,
    });
  }
  app.log("info", "listening", { url: server.url.origin, dataDir: app.dataDir });
  const invitation = `\n  Headway is running. Log in here (works once, for ten minutes):\n  ${app.loginUrl()}\n\n`;
  await unlessNobodyReads(Bun.write(Bun.stderr, invitation));
}

function listen(app: App, hostname: string, port: number): Bun.Server<undefined> | null {
  try {
    return Bun.serve({
      hostname,
      port,
      maxRequestBodySize: socketBodyBytesMax,
      idleTimeout: 60,
      fetch(request, server) {
        return app.fetch(request, {
          // Asked of the system only for those who want to know.
          get peer() {
            return peerOf(server.requestIP(request));
          },
          quietSeconds: (seconds) => server.timeout(request, seconds),
        });
      },
    });
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // For a name that can't be resolved Bun gives whatever errno was left over, ENOTTY say.
    if (syscall === "listen" || code === "EADDRINUSE") return null;
    throw error;
  }
}

/** A socket that takes both IP versions names an IPv4 peer in IPv6's form. */
function peerOf(peer: Bun.SocketAddress | null): string | undefined {
  return peer ? `${peer.address.replace(/^::ffff:/, "")}:${peer.port}` : undefined;
}

/** The first signal drains, the second one is in a hurry; a bug ends what runs and then the server. */
function endOnSignals(app: App, server: Bun.Server<undefined>): void {
  let isStopping = false;
  let exitCode = 0;
  let bugs = 0;
  const stop = async (atOnce: boolean) => {
    const isFirst = !isStopping;
    isStopping = true;
    if (atOnce || !isFirst) await app.stopAtOnce();
    if (!isFirst) return;
    await app.stop();
    await server.stop(true);
    process.exit(exitCode);
  };
  /** What can't be ended in order dies with us, or by the hand of the next server. */
  const leaveAtOnce = (error: unknown) => {
    app.log("error", "the server could not be ended in order", { error: stackOf(error) });
    leave(exitCodes.bug, app.redact(`the server could not be ended in order: ${stackOf(error)}`));
  };
  const onBug = (error: unknown) => {
    exitCode = exitCodes.bug;
    bugs += 1;
    if (bugs > bugsMax) return leaveAtOnce(error);
    app.log("error", "a bug ended the server", { error: stackOf(error) });
    say(app.redact(`a bug ended the server, please report it: ${stackOf(error)}`));
    void stop(true).catch(leaveAtOnce);
  };
  const onSignal = () => void stop(false).catch(leaveAtOnce);
  process.on("SIGTERM", onSignal);
  let interruptedAtMs = Number.NEGATIVE_INFINITY;
  process.on("SIGINT", () => {
    const isEcho = performance.now() - interruptedAtMs < echoMsMax;
    interruptedAtMs = performance.now();
    if (!isEcho) onSignal();
  });
  process.on("uncaughtException", onBug);
  process.on("unhandledRejection", onBug);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What goes wrong before anything is there that could be ended in order. */
function orLeave<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    return leave(exitCodes.bug, `a bug kept the server from starting, please report it: ${stackOf(error)}`);
  }
}

function leave(exitCode: number, message: string): never {
  say(message);
  process.exit(exitCode);
}

/** At once, for what is said may be the last. */
function say(message: string): void {
  try {
    writeSync(process.stderr.fd, `headway: ${message}\n`);
  } catch (error) {
    // A reader that is behind isn't waited for.
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") ignoreLostOutput(error);
  }
}

if (import.meta.main) await serve(process.env);
