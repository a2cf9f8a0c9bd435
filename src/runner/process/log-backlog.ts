/** What a CLI printed: a whole line of stdout without its end, or a piece of stderr. */
export interface Printed {
  from: "stdout" | "stderr";
  text: string;
  /** Its beginning was left out. */
  isCut?: true;
}

/** What was printed and isn't written yet, in the order in which it is to be written. */
export interface Batch {
  beginning: readonly Printed[];
  /** Bytes that were left out between the two. */
  leftOutBytes: number;
  end: readonly Printed[];
}

export interface LogBacklog {
  readonly isEmpty: boolean;
  readonly chars: number;
  /** @param beginningCharsMax so much of what isn't written yet is kept from the beginning on */
  add(printed: Printed, beginningCharsMax: number): void;
  take(): Batch;
}

const leftOutOne: Printed = { from: "stderr", text: "" };

/** A disk that doesn't keep up isn't waited for; of what doesn't fit the newest is kept. */
export function createLogBacklog(endCharsMax: number): LogBacklog {
  let beginning: Printed[] = [];
  let beginningChars = 0;
  let end: Printed[] = [];
  let endChars = 0;
  let first = 0;
  let leftOutBytes = 0;

  function addToEnd(printed: Printed): void {
    end.push(printed);
    endChars += printed.text.length;
    while (endChars > endCharsMax) leaveOutOldest();
    if (first > 1_000) forgetOldest();
  }
  /** The whole of it; or its beginning, where it is much of what there is. */
  function leaveOutOldest(): void {
    const oldest = end[first]!;
    const { text } = oldest;
    const surplus = endChars - endCharsMax;
    const isWhole = text.length < endCharsMax / 2 || text.length <= surplus;
    const leftOut = isWhole ? text : text.slice(0, surplus);
    // What is left out isn't held any longer: a thousand pieces of stderr are 32 MB.
    if (isWhole) end[first++] = leftOutOne;
    else end[first] = { ...oldest, text: text.slice(surplus), isCut: true };
    endChars -= leftOut.length;
    leftOutBytes += Buffer.byteLength(leftOut) + (isWhole && oldest.from === "stdout" ? 1 : 0);
  }
  function forgetOldest(): void {
    end = end.slice(first);
    first = 0;
  }
  return {
    get isEmpty() {
      return beginning.length + end.length === 0;
    },
    get chars() {
      return beginningChars + endChars;
    },
    add(printed, beginningCharsMax) {
      const { length } = printed.text;
      if (end.length > 0 || beginningChars + length > beginningCharsMax) return addToEnd(printed);
      beginning.push(printed);
      beginningChars += length;
    },
    take() {
      const batch = { beginning, leftOutBytes, end: end.slice(first) };
      beginning = [];
      end = [];
      beginningChars = endChars = first = leftOutBytes = 0;
      return batch;
    },
  };
}
