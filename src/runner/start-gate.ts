import type { Alarm, Clock } from "../domain/clock.ts";
import type { Cli } from "../domain/agent.ts";
import type { PublishFact } from "../domain/facts.ts";

export interface StartGateOptions {
  /** Processes that may be coming up at the same time. */
  startsMax: number;
  /** With less than that free nothing is started; 0 starts in any case. */
  freeMemoryMb: number;
  clock: Clock;
  publish: PublishFact;
  /** Bytes that are free now; null where that isn't told, and then nothing waits for memory. */
  readFreeBytes(): number | null;
  /** Ends one process that nobody needs at the moment; false when there is none. */
  giveUpIdle(): Promise<boolean>;
}

export interface StartRequest {
  cli: Cli;
  /** Settled when the start isn't wanted any more: a cancel, the deadline, the end of the server. */
  stopped: Promise<unknown>;
  /** Told once, when the start has to wait for memory. */
  onShortOfMemory(message: string): void;
  /** The server is ending, and this start waits for memory: it is to be stopped now, for it has done nothing yet. */
  onClosing(): void;
}

export type StartPermit =
  /** `cameUp` gives the place to the next one; it may be called more than once. */
  { kind: "entered"; cameUp: () => void } | { kind: "stopped" } | { kind: "no_memory"; message: string };

/**
 * Lets processes start in the order in which they came, few at once and only with memory to spare. A process is
 * coming up from its permit until it has printed something, has ended, or ten seconds have passed.
 */
export interface StartGate {
  enter(request: StartRequest): Promise<StartPermit>;
  /** The server is ending: from now on nothing waits for memory. */
  close(): void;
  /** Processes that are coming up. */
  readonly starting: number;
  /** Starts that wait for their turn or for memory. */
  readonly waiting: number;
}

/** How long a start waits for memory before its run fails. */
const memoryWaitMsMax = 60_000;
/** Between two looks at the machine's memory; nobody looks while nothing waits. */
const memoryLookMs = 250;
/** A process that prints nothing doesn't keep the others waiting for longer. */
const comingUpMsMax = 10_000;
const mebibyte = 1_048_576;

interface Waiting {
  request: StartRequest;
  sinceMs: number;
  /** Since when there has been too little memory, all the time; null while there is enough. */
  shortSinceMs: number | null;
  /** It was told that it waits for memory. */
  isTold: boolean;
  /** It didn't get its permit as it came. */
  hadToWait: boolean;
  resolve(permit: StartPermit): void;
}

export function createStartGate(options: StartGateOptions): StartGate {
  const { clock, freeMemoryMb } = options;
  const queue: Waiting[] = [];
  let starting = 0;
  let nextLook: Alarm | null = null;
  let isGivingUp = false;
  let isClosing = false;

  function admit(): void {
    nextLook?.stop();
    nextLook = null;
    while (queue[0] && starting < options.startsMax && !isGivingUp) {
      if (isShortOfMemory()) return void giveUpOrWait();
      for (const one of queue) one.shortSinceMs = null;
      settle(queue[0], { kind: "entered", cameUp: takePlace() });
    }
  }
  function isShortOfMemory(): boolean {
    if (freeMemoryMb === 0) return false;
    const freeBytes = options.readFreeBytes();
    return freeBytes !== null && freeBytes < freeMemoryMb * mebibyte;
  }
  /** What is idle goes before anything has to wait. */
  async function giveUpOrWait(): Promise<void> {
    isGivingUp = true;
    const gaveUp = await options.giveUpIdle();
    isGivingUp = false;
    if (gaveUp || queue.length === 0) return admit();
    waitForMemory(clock.monotonicMs());
    if (queue.length > 0) nextLook = clock.after(memoryLookMs, admit);
  }
  /** All wait for it, the first and those behind it. */
  function waitForMemory(nowMs: number): void {
    for (const one of queue) {
      one.shortSinceMs ??= nowMs;
      if (!one.isTold) one.request.onShortOfMemory(shortOfMemory(freeMemoryMb));
      one.isTold = true;
    }
    if (isClosing) stopWaiting();
    const tooLong = queue.filter(({ shortSinceMs }) => nowMs - (shortSinceMs ?? nowMs) >= memoryWaitMsMax);
    for (const one of tooLong) settle(one, { kind: "no_memory", message: noMemory(freeMemoryMb) });
  }
  function stopWaiting(): void {
    for (const { request, isTold } of queue) if (isTold) request.onClosing();
  }
  function settle(waiting: Waiting, permit: StartPermit): void {
    const at = queue.indexOf(waiting);
    if (at === -1) return;
    queue.splice(at, 1);
    if (queue.length === 0) nextLook?.stop();
    if (waiting.hadToWait) publishWait(waiting, permit);
    waiting.resolve(permit);
  }
  function publishWait({ request, sinceMs, isTold }: Waiting, { kind }: StartPermit): void {
    const tookMs = clock.monotonicMs() - sinceMs;
    const reason = isTold ? "memory" : "turn";
    options.publish({ type: "start.waited", cli: request.cli, reason, outcome: kind, tookMs });
  }
  function takePlace(): () => void {
    starting += 1;
    let holds = true;
    const leave = () => {
      if (!holds) return;
      holds = false;
      late.stop();
      starting -= 1;
      admit();
    };
    const late = clock.after(comingUpMsMax, leave);
    return leave;
  }

  return {
    enter(request) {
      const { promise, resolve } = Promise.withResolvers<StartPermit>();
      const sinceMs = clock.monotonicMs();
      const state = { shortSinceMs: null, isTold: false, hadToWait: false };
      const waiting: Waiting = { request, sinceMs, resolve, ...state };
      queue.push(waiting);
      void request.stopped.then(() => settle(waiting, { kind: "stopped" }));
      admit();
      waiting.hadToWait = true;
      return promise;
    },
    close() {
      isClosing = true;
      stopWaiting();
    },
    get starting() {
      return starting;
    },
    get waiting() {
      return queue.length;
    },
  };
}

function shortOfMemory(freeMemoryMb: number): string {
  return `The CLI starts as soon as the machine has ${freeMemoryMb} MB of memory free (HEADWAY_FREE_MEMORY_MB).`;
}

function noMemory(freeMemoryMb: number): string {
  const seconds = memoryWaitMsMax / 1_000;
  return `For ${seconds} seconds the machine had less than ${freeMemoryMb} MB of memory free, which HEADWAY_FREE_MEMORY_MB asks for before a CLI is started.`;
}
