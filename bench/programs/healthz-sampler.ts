/** URL EVERY_MS: asks URL/healthz so often, whether the last answer has come or not, until it is ended. */
import { sharedNowMs } from "../machine.ts";

const reportEveryMs = 100;
const url = `${process.argv[2]}/healthz`;
const everyMs = Number(process.argv[3]);
let samples: { atMs: number; tookMs: number }[] = [];

async function ask(): Promise<void> {
  const atMs = sharedNowMs();
  const response = await fetch(url);
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`/healthz answered ${response.status}`);
  samples.push({ atMs, tookMs: sharedNowMs() - atMs });
}

setInterval(() => void ask(), everyMs);
setInterval(() => {
  process.stdout.write(`${JSON.stringify(samples)}\n`);
  samples = [];
}, reportEveryMs);
