import { sharedNowMs } from "./machine.ts";
import { type Arena, runProgram, type Stage } from "./stage.ts";

/** An answer that takes longer than this past the end of what is watched is missed. */
const stragglersMs = 200;

export interface HealthSamples {
  /** What was asked for while the work was done, in ms. */
  during(work: () => Promise<void>): Promise<number[]>;
  stop(): void;
}

/** A process of its own asks for /healthz all the time, whether the last answer has come or not. */
export async function sampleHealth(
  stage: Stage,
  { server }: Pick<Arena, "server">,
  everyMs: number,
): Promise<HealthSamples> {
  const child = runProgram(stage, "healthz-sampler", [server.url, String(everyMs)]);
  const samples: { atMs: number; tookMs: number }[] = [];
  const { promise: first, resolve: begun } = Promise.withResolvers<void>();
  const collecting = (async () => {
    let pending = "";
    for await (const chunk of child.stdout) {
      const lines = (pending + new TextDecoder().decode(chunk)).split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) samples.push(...(JSON.parse(line) as typeof samples));
      begun();
    }
  })();
  await first;
  return {
    async during(work) {
      const fromMs = sharedNowMs();
      await work();
      const toMs = sharedNowMs();
      while ((samples.at(-1)?.atMs ?? 0) < toMs + stragglersMs && child.exitCode === null)
        await Bun.sleep(20);
      return samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs).map(({ tookMs }) => tookMs);
    },
    stop() {
      child.kill();
      void collecting;
    },
  };
}
