import type { Database } from "bun:sqlite";
import type { Fact } from "../../src/domain/facts.ts";
import type { Run } from "../../src/domain/run.ts";
import { isTerminal } from "../../src/domain/run-state.ts";
import { checkIntegrity } from "../../src/integrity/check.ts";
import type { Inhabitant, Machine, MachineWatch } from "./machine.ts";
import { tokenOf } from "./machine.ts";
import type { Server } from "./server.ts";
import type { ClockFace } from "./sim-time.ts";

/** A run that a client was told of. */
export interface Acknowledged {
  runId: string;
  agentId: string;
  conversationId: string;
  token: string;
}

/** What must be true beyond the database's own rules, and what clients were told. */
export interface Checker extends MachineWatch {
  readonly violations: string[];
  readonly acknowledged: ReadonlyMap<string, Acknowledged>;
  /** How often each terminal state, and each error code, was seen. */
  readonly ends: ReadonlyMap<string, number>;
  watch(server: Server, machine: Machine): void;
  hear(fact: Fact): void;
  /** A client heard that its run was taken. */
  acknowledge(run: Run, key: string | null): void;
  /** A client was told how its run ended. */
  told(run: Run): void;
  /** A client asks for its prompt to be given to an agent once. */
  asks(token: string): void;
  /** It was not taken, or had been before. */
  asksNoMore(token: string): void;
  /** From now on it may be gone; whether it is, only the store knows. */
  mayBeRemoved(conversationId: string): void;
  /** Reads a run's events as a browser does, and remembers them. */
  readEvents(runId: string): void;
  /** Everything that can be asked of the data as it is. */
  look(options: { recovered: boolean }): void;
  /** Runs that have not ended. */
  unfinished(): string[];
}

interface RunRow {
  id: string;
  state: Run["state"];
  endedAt: number | null;
  agentKey: number;
}

export function createChecker(clock: ClockFace): Checker {
  const violations: string[] = [];
  const acknowledged = new Map<string, Acknowledged>();
  const keys = new Map<string, string>();
  const ended = new Map<string, string>();
  const ends = new Map<string, number>();
  const mayBeGone = new Set<string>();
  const events = new Map<string, string[]>();
  const answered = new Map<string, number>();
  const asked = new Map<string, number>();
  let reader: Database;
  let server: Server;
  let machine: Machine;

  const fail = (what: string) => void violations.push(what);
  const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const findRun = (runId: string) =>
    reader
      .query<RunRow, [string]>(
        `select id, state, ended_at as endedAt, agent_key as agentKey from kept_runs where id = ?`,
      )
      .get(runId);

  /** One run of an agent holds it, and it is of this server. */
  function spawning(agentId: string): number {
    const held = reader
      .query<{ agentKey: number }, [string, number]>(
        `select agents.key as agentKey from runs join agents on agents.key = runs.agent_key
         where agents.id = ? and runs.state in ('starting', 'running') and runs.epoch = ?`,
      )
      .all(agentId, server.store.epoch);
    if (held.length !== 1) fail(`a process was started for ${agentId} while ${held.length} runs held it`);
    return held[0]?.agentKey ?? 0;
  }
  function prompted(inhabitant: Inhabitant, token: string): void {
    const { agentId, agentKey, process, conversationId } = inhabitant;
    const row = reader
      .query<{ prompt: string; state: string }, [string]>(
        `select turns.content as prompt, runs.state from runs
         join agents on agents.key = runs.agent_key join turns on turns.run_id = runs.id and turns.role = 'user'
         where agents.id = ? and runs.state in ('starting', 'running')`,
      )
      .get(agentId);
    if (!row) fail(`${process.spec.processId} was given ${token}, but no run on record holds ${agentId}`);
    else if (tokenOf(row.prompt) !== token) fail(`${agentId} was given ${token} in the run of ${row.prompt}`);
    checkCustody(process.spec.processId);
    for (const other of machine.living()) {
      if (other === inhabitant) continue;
      const name = `${other.process.spec.processId} beside ${process.spec.processId}`;
      if (other.agentKey === agentKey && other.process.isInTurn) fail(`${agentId} is in two turns: ${name}`);
      if (conversationId !== null && other.conversationId === conversationId)
        fail(`${conversationId} has two processes: ${name}`);
    }
  }
  function checkCustody(processId: string): void {
    const held = reader
      .query<{ id: string }, [string]>(`select id from processes where id = ? and ended_at is null`)
      .get(processId);
    if (!held) fail(`${processId} got its input before it was in custody`);
  }
  function hear(fact: Fact): void {
    if (fact.type === "run.started") checkOrder(fact.runId);
    if (fact.type === "run.settled") checkAnswer(fact.runId, fact.state);
  }
  /** Runs of an agent start in the order in which they were admitted. */
  function checkOrder(runId: string): void {
    const before = reader
      .query<{ id: string }, [string]>(
        `select older.id from runs join runs as older on older.agent_key = runs.agent_key
         where runs.id = ? and older.key < runs.key and older.state = 'queued'`,
      )
      .get(runId);
    if (before) fail(`${runId} started before ${before.id}, which was admitted earlier`);
    const barred = reader
      .query<{ id: string; why: string }, [string]>(
        `select agents.id, iif(breakers.state = 'open', 'its breaker is open', 'it is in quarantine') as why
         from runs join agents on agents.key = runs.agent_key
         left join breakers on breakers.agent_key = agents.key
         where runs.id = ? and (agents.quarantined_at is not null or breakers.state = 'open')`,
      )
      .get(runId);
    if (barred) fail(`${runId} of ${barred.id} started although ${barred.why}`);
  }
  /** What succeeded has the answer that its CLI gave to its prompt, whole and nothing else. */
  function checkAnswer(runId: string, state: string): void {
    if (state !== "succeeded") return;
    const row = reader
      .query<{ prompt: string; answer: string }, [string]>(
        `select question.content as prompt, answer.content as answer from turns as question
         join turns as answer on answer.run_id = question.run_id and answer.role = 'assistant'
         where question.role = 'user' and question.run_id = ?`,
      )
      .get(runId);
    const token = tokenOf(row?.prompt ?? "");
    const given = machine.answers.get(token);
    if (row && row.answer !== given) fail(`${runId} (${token}) was answered ${given}, and has ${row.answer}`);
  }
  /** A prompt is given again only where nothing of an answer had come: tools have side effects. */
  function answering(token: string): void {
    count(answered, token);
    const times = answered.get(token)!;
    const most = asked.get(token) ?? 0;
    if (times > most) fail(`${token} was asked for ${most} times, and ${times} processes answer it`);
  }
  /** By a connection of its own: what FTS5 keeps of the index between two checks of one connection goes stale. */
  function checkInvariants(recovered: boolean): void {
    const { checks } = server.readAfresh((database) => checkIntegrity(database, { recovered, clock }));
    for (const { id, description, violations: found } of checks)
      if (found.length > 0) fail(`${id} ${description}: ${found.join(", ")}`);
  }
  function checkRows(): void {
    const rows = reader
      .query<RunRow, []>(`select id, state, ended_at as endedAt, agent_key as agentKey from kept_runs`)
      .all();
    const found = new Set<string>();
    for (const { id, state, endedAt } of rows) {
      found.add(id);
      if (!isTerminal(state)) continue;
      const end = `${state} at ${endedAt}`;
      if (!ended.has(id)) count(ends, state);
      else if (ended.get(id) !== end) fail(`${id} was ${ended.get(id)}, and is ${end}`);
      ended.set(id, end);
    }
    for (const { runId, conversationId } of acknowledged.values()) {
      if (!found.has(runId) && !mayBeGone.has(conversationId)) fail(`${runId} was acknowledged, and is lost`);
    }
    checkTwins();
  }
  /** Each request asks for one run. */
  function checkTwins(): void {
    const twins = reader
      .query<{ content: string; runs: number }, []>(
        `select turns.content, count(*) as runs from turns join kept_runs on kept_runs.id = turns.run_id
         where turns.role = 'user' and kept_runs.retry_of is null
         group by kept_runs.agent_key, turns.content having count(*) > 1`,
      )
      .all();
    for (const { content, runs } of twins)
      fail(`${tokenOf(content)} was asked for once and has ${runs} runs`);
  }

  return {
    violations,
    acknowledged,
    ends,
    watch(nextServer, on) {
      server = nextServer;
      reader = nextServer.reader;
      machine = on;
    },
    spawning,
    prompted,
    answering,
    hear,
    acknowledge(run, key) {
      const known = findRun(run.id);
      if (!known && !mayBeGone.has(run.conversationId))
        fail(`${run.id} was acknowledged without being there`);
      const token = tokenOf(run.prompt);
      acknowledged.set(run.id, {
        runId: run.id,
        agentId: run.agentId,
        conversationId: run.conversationId,
        token,
      });
      if (key === null) return;
      const name = `${known?.agentKey ?? ""}/${key}`;
      const earlier = keys.get(name);
      if (earlier !== undefined && earlier !== run.id && findRun(earlier))
        fail(`the key ${key} stands for ${earlier} and for ${run.id}`);
      keys.set(name, run.id);
    },
    told(run) {
      const known = findRun(run.id);
      if (!isTerminal(run.state)) fail(`${run.id} was told to have ended, and is ${run.state}`);
      else if (known && known.state !== run.state)
        fail(`${run.id} was told as ${run.state}, and is ${known.state}`);
    },
    asks: (token) => void count(asked, token),
    asksNoMore: (token) => void asked.set(token, (asked.get(token) ?? 0) - 1),
    mayBeRemoved: (conversationId) => void mayBeGone.add(conversationId),
    readEvents(runId) {
      const now = server.store.listEncodedEvents(runId, 0, 10_000);
      now.forEach(({ seq }, at) => {
        if (seq !== at + 1) fail(`event ${seq} of ${runId} stands where ${at + 1} belongs`);
      });
      const before = events.get(runId) ?? [];
      const isGone = now.length === 0;
      const changed = before.findIndex((json, at) => now[at]?.json !== json);
      if (!isGone && changed >= 0) fail(`event ${changed + 1} of ${runId} is another than it was`);
      events.set(runId, isGone ? [] : now.map(({ json }) => json));
    },
    look({ recovered }) {
      checkInvariants(recovered);
      checkRows();
    },
    unfinished() {
      const open = reader
        .query<{ id: string }, []>(
          `select kept_runs.id from kept_runs join agents on agents.key = kept_runs.agent_key
           where kept_runs.ended_at is null`,
        )
        .all();
      return open.map(({ id }) => id);
    },
  };
}
