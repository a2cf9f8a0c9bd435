/** Where a turn is found for good, whatever becomes of the page that shows it now. */
export interface TurnPlace {
  conversationId: string;
  seq: number;
  turnId: string;
}

export function turnPath({ conversationId, seq, turnId }: TurnPlace): string {
  return `/conversations/${conversationId}?at=${seq}#${turnId}`;
}

/** A link to the turn, and the place where such a link leads. */
export function TurnLink({ place }: { place: TurnPlace }) {
  return (
    <a
      class="anchor"
      id={place.turnId}
      href={turnPath(place)}
      aria-label={`Link to this turn, #${place.seq}`}
    >
      #{place.seq}
    </a>
  );
}
