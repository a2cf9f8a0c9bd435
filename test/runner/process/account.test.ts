import { expect, test } from "bun:test";
import { systemClock } from "../../../src/domain/clock.ts";
import { createAccount } from "../../../src/runner/process/account.ts";
import type { LimitWatch } from "../../../src/runner/process/limits.ts";
import type { ProcessTree } from "../../../src/runner/process/process-tree.ts";
import type { ProcessStat } from "../../../src/runner/process/tree.ts";
import { waitFor } from "../../helpers/wait.ts";
import { aProcess, type Bench, containmentOf, eventually, generousLimits, openBench } from "./harness.ts";

/** An account whose looks the test makes itself, of what the tree shows at that moment. */
function anAccount() {
  let shown: ProcessStat[] | null = null;
  let look = () => {};
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const limitWatch: LimitWatch = {
    watch(watched) {
      look = () => void watched(15);
      return () => (look = () => {});
    },
  };
  const unread = { memoryPartsOf: () => null, proportionalBytesOf: () => null };
  const tree = { listAll: () => shown, ...unread } as unknown as ProcessTree;
  const account = createAccount({
    tree,
    limits: generousLimits,
    limitWatch,
    cgroup: null,
    clock,
    onLimit: () => {},
  });
  return {
    begin(idleMs = 60_000) {
      nowMs += idleMs;
      account.begin();
    },
    see(...processes: ProcessStat[]) {
      shown = processes;
      look();
    },
    close: (...processes: ProcessStat[]) => account.close(processes),
    closeDead: () => account.close(null),
  };
}

const aCli = (cpuMs: number, rssBytes = 100) => aProcess({ pid: 1, cpuMs, rssBytes });

test("the first turn is charged with the start of its process, a later one not with what came before it", () => {
  const account = anAccount();

  account.begin();
  account.see(aCli(40));
  const first = account.close(aCli(70));
  account.begin();
  account.see(aCli(90));
  const second = account.close(aCli(95, 30));

  expect(first.cpuMs).toBe(70);
  expect(second.cpuMs).toBe(5);
});

test("a turn that follows at once is charged from the end of the one before", () => {
  const account = anAccount();

  account.begin();
  account.close(aCli(70));
  account.begin(10);
  account.see(aCli(90));
  const second = account.close(aCli(95));

  expect(second.cpuMs).toBe(25);
});

test("a later turn's peak is its own", () => {
  const account = anAccount();

  account.begin();
  account.see(aCli(1, 900));
  const first = account.close(aCli(1, 100));
  account.begin();
  account.see(aCli(1, 120));
  const second = account.close(aCli(1, 110));

  expect([first.peakRssBytes, second.peakRssBytes]).toEqual([900, 120]);
});

test("what ends without being waited for has used what it used, and a zombie isn't counted twice", () => {
  const account = anAccount();
  const child = (cpuMs: number, state = "R") => aProcess({ pid: 2, ppid: 1, cpuMs, state });

  account.begin();
  account.see(aCli(10), child(500));
  account.see(aCli(10), child(500, "Z"));
  account.see(aCli(10));
  account.see(aCli(10), child(300));
  const { cpuMs } = account.close(aCli(310));

  expect(cpuMs).toBe(10 + 500 + 300);
});

test("of a tree that has ended the account tells what was seen, and nothing where no look succeeded", () => {
  const account = anAccount();

  account.begin();
  const unseen = account.closeDead();
  account.begin();
  account.see(aCli(10, 100));
  account.see(aCli(60, 200));
  const seen = account.closeDead();

  expect(unseen).toEqual({ peakRssBytes: null, cpuMs: null });
  expect(seen).toEqual({ peakRssBytes: 200, cpuMs: 50 });
});

const burn = (cpuMs: number) =>
  `const begun = process.cpuUsage(); while (process.cpuUsage(begun).user < ${cpuMs * 1_000});`;
const take = (holdMs: number) =>
  `globalThis.kept = Buffer.alloc(300_000_000, 1); console.log(1); setTimeout(() => {}, ${holdMs});`;

for (const rung of ["bwrap", "unshare", "process-group"] as const) {
  const containment = await containmentOf(rung);
  const there = (title: string, body: (bench: Bench) => Promise<void>) =>
    test.skipIf(containment === null)(`${rung}: ${title}`, async () => {
      if (containment === null) return;
      await using bench = openBench(containment);
      await body(bench);
    });

  async function openShell(bench: Bench) {
    const script = 'while read -r line; do eval "$line"; echo done; done';
    const { process: shell, heard } = await bench.spawn(["sh", "-c", script]);
    return {
      /** Has the shell do something as a turn of its own. */
      async turn(command: string) {
        const before = heard.lines.length;
        shell.beginAccount();
        await shell.write(`${command}\n`);
        await waitFor(() => heard.lines.slice(before).includes("done"), {
          what: "the turn's end",
          deadlineMs: 20_000,
        });
        return shell.account();
      },
      shell,
    };
  }

  there("two turns on one process have each their own memory and CPU time", async (bench) => {
    const { turn } = await openShell(bench);

    const burning = await turn(`"${process.execPath}" -e "${burn(100)}"`);
    const taking = await turn(
      `mkfifo taken; "${process.execPath}" -e "${take(30_000)}" > taken & read -r taken < taken`,
    );
    await turn("kill $!; wait");
    const idle = await turn("sleep 0.05");

    expect(burning.cpuMs).toBeGreaterThan(80);
    expect(taking.peakRssBytes).toBeGreaterThan(150_000_000);
    expect(idle.cpuMs).toBeLessThan(burning.cpuMs ?? 0);
    expect(idle.peakRssBytes).toBeLessThan(150_000_000);
  });

  there(
    "children that live too short to be looked at are counted once they are waited for",
    async (bench) => {
      const { turn } = await openShell(bench);

      const { cpuMs } = await turn(`for i in 1 2 3 4; do "${process.execPath}" -e "${burn(20)}"; done`);

      expect(cpuMs).toBeGreaterThan(50);
    },
  );

  there("children that nobody of the tree waits for are counted as far as they were seen", async (bench) => {
    const { turn } = await openShell(bench);

    const { cpuMs } = await turn(`orphaned=$( ("${process.execPath}" -e "${burn(100)}" &) )`);

    expect(cpuMs).toBeGreaterThan(30);
  });

  there("a process that has ended by itself leaves its account behind", async (bench) => {
    const { shell, turn } = await openShell(bench);
    await turn("true");

    shell.beginAccount();
    await shell.write(`"${process.execPath}" -e "${take(2_000)}"; exit 3\n`);
    await shell.exited;
    const account = shell.account();

    expect(account).toMatchObject({ leftovers: [] });
    expect(account.peakRssBytes).toBeGreaterThan(100_000_000);
    expect(shell.account()).toEqual(account);
  });

  there("the whole tree yields, what it starts in a session of its own included", async (bench) => {
    const { process: cli, heard } = await bench.spawn(["sh", "-c", "nice; setsid nice; (nice &) ; sleep 60"]);

    await eventually("all have told their niceness", () => heard.lines.length === 3);
    await cli.killTree();

    expect(heard.lines).toEqual(["10", "10", "10"]);
  });
}
