/** Text that grows by pieces, a million tiny ones if it must be. */
export interface GrowingText {
  add(piece: string): void;
  readonly length: number;
  whole(): string;
}

/** Few enough for the pieces to be next to nothing, many enough to join them seldom. */
const loosePiecesMax = 512;

/**
 * With `+=` JavaScript engines keep every piece, and a node for it, until somebody reads the whole: about
 * 100 bytes for a piece of four letters.
 */
export function growingText(): GrowingText {
  let blocks: string[] = [];
  let loose: string[] = [];
  let length = 0;

  function joinLoose(): void {
    blocks.push(loose.join(""));
    loose = [];
  }

  return {
    add(piece) {
      loose.push(piece);
      length += piece.length;
      if (loose.length >= loosePiecesMax) joinLoose();
    },
    get length() {
      return length;
    },
    whole() {
      joinLoose();
      const text = blocks.join("");
      blocks = [text];
      return text;
    },
  };
}
