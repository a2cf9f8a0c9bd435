import { sharedNowMs } from "../machine.ts";

/** URL TOKEN FOR_MS AGENT…: one client for each agent sends executes, each after the answer to its last. */
const [url = "", token = "", forMs = "0", ...agentIds] = process.argv.slice(2);
const init = {
  method: "POST",
  headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  body: JSON.stringify({ prompt: "hello" }),
};
const endsAtMs = sharedNowMs() + Number(forMs);
let executes = 0;

async function execute(agentId: string): Promise<void> {
  const response = await fetch(`${url}/api/agents/${agentId}/execute`, init);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
  executes += 1;
}

async function client(agentId: string): Promise<void> {
  while (sharedNowMs() < endsAtMs) await execute(agentId);
}

const begunMs = sharedNowMs();
const cpuBefore = process.cpuUsage();
await Promise.all(agentIds.map(client));
const { user, system } = process.cpuUsage(cpuBefore);
const tookMs = sharedNowMs() - begunMs;
console.log(JSON.stringify({ executes, tookMs, cpuMs: (user + system) / 1_000 }));
