/** What happened, as one number that two equal simulations share, and the last of it as text. */
export interface Trace {
  note(what: string): void;
  action(what: string): void;
  readonly hash: string;
  readonly lastActions: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
}

const actionsKept = 30;

export function createTrace(write: ((line: string) => void) | null): Trace {
  const lastActions: string[] = [];
  const counts = new Map<string, number>();
  let hash = 0n;

  function note(what: string): void {
    hash = Bun.hash.wyhash(what, hash);
    write?.(what);
  }
  return {
    note,
    action(what) {
      note(what);
      const name = /: (\w+)/.exec(what)?.[1] ?? what;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (lastActions.push(what) > actionsKept) lastActions.shift();
    },
    get hash() {
      return hash.toString(16);
    },
    lastActions,
    counts,
  };
}
