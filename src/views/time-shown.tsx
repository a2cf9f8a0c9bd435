/** A moment in UTC, which `app.js` rewrites to the reader's own time. */
export function TimeShown({ at }: { at: string | null }) {
  if (at === null) return <>–</>;
  return (
    <time datetime={at}>
      {at.slice(0, 10)} {at.slice(11, 19)} UTC
    </time>
  );
}
