/** Cuts text that comes in pieces into whole lines. */
export interface TextLines {
  /** The lines that this piece completed, without their ends. */
  push(piece: string): string[];
}

/** @param charsMax a longer line is cut there, and the rest of it is left out */
export function createTextLines(charsMax: number): TextLines {
  let rest = "";
  return {
    push(piece) {
      const lines = (rest + piece).split("\n");
      rest = (lines.pop() ?? "").slice(0, charsMax);
      return lines.map((line) => line.slice(0, charsMax).replace(/\r$/, ""));
    },
  };
}
