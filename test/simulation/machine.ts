import { pause } from "../../src/domain/clock.ts";
import type { ProcessSpec, SpawnOutcome, Supervisor } from "../../src/runner/process/cli-process.ts";
import type { Random } from "./random.ts";
import { type Manner, scriptTurn } from "./script.ts";
import { createSimProcess, type SimProcess, type Temper } from "./sim-process.ts";
import type { ClockFace } from "./sim-time.ts";
import { lostSessionLine } from "./voice.ts";

/** Somebody who looks at what is asked of the machine. */
export interface MachineWatch {
  /** A process is asked for, in the folder of this agent; answers with which of all that bore its name. */
  spawning(agentId: string): number;
  /** A process gets a prompt. */
  prompted(process: Inhabitant, token: string): void;
  /** A process begins to answer a prompt. */
  answering(token: string): void;
}

/** A process, and whose it is. */
export interface Inhabitant {
  process: SimProcess;
  agentId: string;
  agentKey: number;
  /** Null until it is in custody. */
  conversationId: string | null;
}

/** The machine that outlives its servers: processes, the CLI's sessions, and what CLIs were asked. */
export interface Machine {
  /** For one server; what it asked for comes to nothing once it is dead. */
  supervisor(): Supervisor & { serverDied(): void };
  /** Of memory. */
  freeBytes: number;
  living(): Inhabitant[];
  /** The last answer that was given to a prompt, by its token. */
  readonly answers: ReadonlyMap<string, string>;
  readonly manners: ReadonlyMap<Manner, number>;
  takeCustody(processId: string, conversationId: string): void;
  /** From now on nothing goes wrong that hasn't already. */
  behave(): void;
}

export interface MachineOptions {
  random: Random;
  clock: ClockFace;
  watch: MachineWatch;
  touched(): void;
}

const tokenPattern = /\[\[(t\d+)\]\]/g;
export const promptOf = (token: string) => `Do this: [[${token}]]`;
export const tokenOf = (prompt: string) => [...prompt.matchAll(tokenPattern)].at(-1)?.[1] ?? "";
export const folderOf = (agentId: string) => `/simulated/${agentId}`;

export const plentyOfBytes = 2 ** 34;
const never = new Promise<never>(() => {});
/** Dead processes are forgotten in bunches. */
const rememberedMax = 200;

export function createMachine({ random, clock, watch, touched }: MachineOptions): Machine {
  const inhabitants = new Map<string, Inhabitant>();
  const sessions = new Set<string>();
  const answers = new Map<string, string>();
  const manners = new Map<Manner, number>();
  let behaves = false;
  let pids = 1_000;

  function living(): Inhabitant[] {
    return [...inhabitants.values()].filter(({ process }) => process.isAlive);
  }
  function script(inhabitant: Inhabitant, session: SessionArguments, token: string) {
    watch.prompted(inhabitant, token);
    if (session.resume && !sessions.has(session.sessionId)) return lost(session.sessionId);
    const otherSessionId = sessions.size > 0 && random.chance(0.5) ? random.pick([...sessions]) : null;
    const { sessionId } = session;
    const written = scriptTurn(random, { token, sessionId, wallMs: clock.wallMs(), otherSessionId }, behaves);
    manners.set(written.manner, (manners.get(written.manner) ?? 0) + 1);
    answers.set(token, written.answer);
    return written;
  }
  function start(spec: ProcessSpec, agentKey: number): SimProcess {
    const session = sessionArguments(spec.args);
    if (random.chance(0.01)) sessions.delete(session.sessionId);
    let token = "";
    const inhabitant: Inhabitant = { process: null!, agentId: agentOf(spec), agentKey, conversationId: null };
    inhabitant.process = createSimProcess({
      spec,
      pid: pids++,
      temper: behaves ? goodTemper() : temperOf(random),
      random: random.fork(),
      clock,
      scriptOf(prompt) {
        token = tokenOf(prompt);
        return script(inhabitant, session, token);
      },
      answering: () => watch.answering(token),
      sessionBegun: (sessionId) => void sessions.add(sessionId),
      touched,
    });
    inhabitants.set(spec.processId, inhabitant);
    forgetTheDead();
    return inhabitant.process;
  }
  function forgetTheDead(): void {
    if (inhabitants.size < rememberedMax) return;
    for (const [id, { process }] of inhabitants) if (!process.isAlive) inhabitants.delete(id);
  }
  function failure(): SpawnOutcome | null {
    if (behaves || !random.chance(0.02)) return null;
    const code = random.pick(["cli_not_found", "cwd_missing", "spawn_error"] as const);
    return { kind: "failed", code, message: "simulated" };
  }
  function supervisor(): Supervisor & { serverDied(): void } {
    let isDead = false;
    const own = new Set<SimProcess>();
    return {
      containment: "bwrap",
      degradedBecause: null,
      async spawn(spec) {
        touched();
        const agentKey = watch.spawning(agentOf(spec));
        if (!behaves && random.chance(0.15)) await pause(clock, random.between(1, 3_000));
        touched();
        if (isDead) return never;
        const failed = failure();
        if (failed) return failed;
        const process = start(spec, agentKey);
        own.add(process);
        return { kind: "spawned", process: process.cli };
      },
      async reap({ marker }) {
        touched();
        const survivors = (await inhabitants.get(marker)?.process.kill()) ?? 0;
        return isDead ? never : survivors;
      },
      async killAll() {
        for (const process of own) if (process.isAlive) await process.kill();
        if (isDead) await never;
      },
      serverDied() {
        isDead = true;
        for (const process of own) process.orphan();
      },
    };
  }
  return {
    supervisor,
    freeBytes: plentyOfBytes,
    living,
    answers,
    manners,
    takeCustody(processId, conversationId) {
      const inhabitant = inhabitants.get(processId);
      if (inhabitant) inhabitant.conversationId = conversationId;
    },
    behave() {
      behaves = true;
      for (const { process } of inhabitants.values()) process.relent();
    },
  };
}

interface SessionArguments {
  sessionId: string;
  resume: boolean;
}

function sessionArguments(args: readonly string[]): SessionArguments {
  const resumeAt = args.indexOf("--resume");
  const at = resumeAt >= 0 ? resumeAt : args.indexOf("--session-id");
  return { sessionId: args[at + 1] ?? "", resume: resumeAt >= 0 };
}

function agentOf({ cwd }: ProcessSpec): string {
  return cwd.slice(folderOf("").length);
}

function lost(sessionId: string) {
  const steps = [
    { do: "end" as const, lines: [lostSessionLine(sessionId)] },
    { do: "exit" as const, exitCode: 1, signal: null },
  ];
  return { steps, answer: "" };
}

function goodTemper(): Temper {
  return {
    deafInterrupts: 0,
    ignoresTerm: false,
    ignoresClosedInput: false,
    hasBrokenInput: false,
    stuckMs: 0,
    diesAtStart: null,
    diesWithServer: true,
  };
}

function temperOf(random: Random): Temper {
  return {
    deafInterrupts: random.pick([0, 0, 0, 0, 1, Infinity]),
    ignoresTerm: random.chance(0.15),
    ignoresClosedInput: random.chance(0.08),
    hasBrokenInput: random.chance(0.01),
    stuckMs: random.chance(0.02) ? random.between(1_000, 120_000) : 0,
    diesAtStart: random.chance(0.03) ? { exitCode: random.between(0, 1), signal: null } : null,
    diesWithServer: random.chance(0.7),
  };
}
