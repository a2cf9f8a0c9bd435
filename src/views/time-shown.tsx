/** A moment in UTC, which `app.js` rewrites to the reader's own time. */
export function TimeShown({ at }: { at: string | null }) {
  if (at === null) return <>–</>;
  return (
    <time datetime={at}>
      {at.slice(0, 10)} {at.slice(11, 19)} UTC
    </time>
  );
}

/** Time that passes since a moment; `app.js` counts it, and without it the moment is there to read. */
export function Elapsed({ since }: { since: string }) {
  return (
    <time class="elapsed" datetime={since} data-since={since}>
      since {since.slice(11, 19)} UTC
    </time>
  );
}
