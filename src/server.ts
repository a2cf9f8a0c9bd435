import { type App, createApp } from "./app.ts";
import { parseConfig } from "./config.ts";

/** Bun closes a connection whose body is larger; our own limit answers 413 before that. */
const socketBodyBytesMax = 64 * 1_048_576;

/** Under npm one Ctrl-C arrives twice: the terminal sends it to us and to npm, and npm passes its own on. */
const echoMsMax = 100;

/** A token with fewer characters can be tried out by whoever reaches the port. */
const guessableTokenChars = 16;

const exitCodes = { badConfiguration: 64, bug: 70, portInUse: 74 } as const;

export async function serve(environment: Record<string, string | undefined>): Promise<void> {
  const parsed = parseConfig(environment);
  if (parsed.kind === "bad") return leave(exitCodes.badConfiguration, parsed.message);
  const app = createApp(parsed.config, { environment });
  const server = listen(app, parsed.config.host, parsed.config.port);
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
  await Bun.write(
    Bun.stderr,
    `\n  Headway is running. Log in here (works once, for ten minutes):\n  ${app.loginUrl()}\n\n`,
  );
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
  const stop = async (exitCode: number, atOnce: boolean) => {
    if (atOnce || isStopping) await app.stopAtOnce();
    if (isStopping) return;
    isStopping = true;
    await app.stop();
    await server.stop(true);
    process.exit(exitCode);
  };
  process.on("SIGTERM", () => void stop(0, false));
  let interruptedAtMs = Number.NEGATIVE_INFINITY;
  process.on("SIGINT", () => {
    const isEcho = performance.now() - interruptedAtMs < echoMsMax;
    interruptedAtMs = performance.now();
    if (!isEcho) void stop(0, false);
  });
  const onBug = (error: unknown) => {
    app.log("error", "a bug ended the server", {
      error: error instanceof Error ? error.stack : String(error),
    });
    void stop(exitCodes.bug, true);
  };
  process.on("uncaughtException", onBug);
  process.on("unhandledRejection", onBug);
}

function leave(exitCode: number, message: string): never {
  process.stderr.write(`headway: ${message}\n`);
  process.exit(exitCode);
}

if (import.meta.main) await serve(process.env);
