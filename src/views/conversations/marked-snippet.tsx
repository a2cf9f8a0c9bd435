import type { Match } from "../../domain/conversation.ts";

export interface SnippetPiece {
  text: string;
  isHit: boolean;
}

/** The snippet cut at its ranges; together the pieces are the snippet. A range that doesn't fit marks nothing. */
export function piecesOf({ snippet, ranges }: Pick<Match, "snippet" | "ranges">): SnippetPiece[] {
  const pieces: SnippetPiece[] = [];
  let shownTo = 0;
  for (const [from, to] of ranges) {
    if (from < shownTo || to <= from || to > snippet.length) continue;
    pieces.push({ text: snippet.slice(shownTo, from), isHit: false });
    pieces.push({ text: snippet.slice(from, to), isHit: true });
    shownTo = to;
  }
  pieces.push({ text: snippet.slice(shownTo), isHit: false });
  return pieces.filter(({ text }) => text !== "");
}

/** A piece of a turn with the words that were found; `bdi` keeps its direction to itself. */
export function MarkedSnippet({ match }: { match: Pick<Match, "snippet" | "ranges"> }) {
  return (
    <bdi class="snippet">
      {piecesOf(match).map(({ text, isHit }) => (isHit ? <mark>{text}</mark> : <>{text}</>))}
    </bdi>
  );
}
