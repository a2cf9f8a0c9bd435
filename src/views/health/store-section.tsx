import { visibleText } from "../visible-text.ts";
import { sizeShown } from "../wording.ts";
import type { StoreCondition } from "./health-facts.ts";

const gibibyte = 1_073_741_824;

export function StoreSection({ store: { failure, freeBytes } }: { store: StoreCondition }) {
  return (
    <>
      {failure === null ? (
        <p>The store takes writes.</p>
      ) : (
        <p class="problem">
          The store takes no writes: {visibleText(failure)}. Messages are refused until it does; look at the
          disk that holds Headway's data.
        </p>
      )}
      {freeBytes !== null && <p class="facts">{spaceShown(freeBytes)} free on its disk.</p>}
    </>
  );
}

/** "12 GiB", and less than ten with a decimal: so that it doesn't change all the time. */
function spaceShown(bytes: number): string {
  if (bytes < gibibyte) return sizeShown(bytes);
  const gibibytes = bytes / gibibyte;
  return `${gibibytes < 10 ? gibibytes.toFixed(1) : Math.floor(gibibytes).toLocaleString("en")} GiB`;
}
