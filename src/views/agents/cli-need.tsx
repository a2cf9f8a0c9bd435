import type { CliNeed } from "../../runner/runner-api.ts";
import { byId, elementIds } from "../element-ids.ts";

/** What a CLI lacks, what to do, and the command to copy. */
export function CliNeedShown({ cli, need }: { cli: string; need: CliNeed }) {
  const id = elementIds.command(`${cli}-${need.what}`);
  return (
    <div class="need">
      <p>{need.advice}</p>
      {need.command !== null && (
        <p class="command-line">
          <code class="command" id={id}>
            {need.command}
          </code>
          <button type="button" class="copy" data-copy={byId(id)}>
            Copy
          </button>
        </p>
      )}
    </div>
  );
}
