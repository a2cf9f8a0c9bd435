/** A moment in UTC, which `app.js` rewrites to the reader's own time. */
export function TimeShown({ at }: { at: string | null }) {
  if (at === null) return <>–</>;
  return (
    <time datetime={at}>
      {at.slice(0, 10)} {at.slice(11, 19)} UTC
    </time>
  );
}

const isoTime = /(\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)/;

/** A sentence of ours in which a time may stand as programs write it. */
export function WithTimes({ text }: { text: string }) {
  // What was matched stands at the odd places.
  return <>{text.split(isoTime).map((piece, at) => (at % 2 === 0 ? piece : <TimeShown at={piece} />))}</>;
}

/** True where `WithTimes` shows one. */
export function tellsTime(text: string): boolean {
  return isoTime.test(text);
}

/** Time that passes since a moment; `app.js` counts it, and without it the moment is there to read. */
export function Elapsed({ since }: { since: string }) {
  return (
    <time class="elapsed" datetime={since} data-since={since}>
      since {since.slice(11, 19)} UTC
    </time>
  );
}
