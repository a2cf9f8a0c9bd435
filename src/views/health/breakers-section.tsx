import type { BreakerReport } from "../../domain/breaker.ts";
import { BreakerCause, BreakerPause, CauseRun, ResetBreaker } from "../agents/agent-trouble.tsx";
import { TimeShown } from "../time-shown.tsx";
import { plural } from "../wording.ts";
import { breakerChips, breakerReasonsShown, breakerStatesShown } from "./breaker-words.ts";

/** Changes of all breakers together that are shown; the API has the others. */
const changesShownMax = 100;

export function BreakersSection({ breakers }: { breakers: readonly BreakerReport[] }) {
  const notClosed = breakers.filter(({ state }) => state !== "closed");
  const failing = breakers.filter(({ state, failures }) => state === "closed" && failures > 0);
  return (
    <>
      <p class="hint">
        When the service behind an agent fails again and again, its breaker opens and the agent rests for a
        while, so that nobody asks in vain.
      </p>
      {notClosed.length === 0 && <p>No breaker is open.</p>}
      {notClosed.map((breaker) => (
        <OpenBreaker breaker={breaker} />
      ))}
      {failing.map(({ agentId, failures }) => (
        <p class="facts">
          <a href={`/agents/${agentId}`}>{agentId}</a>: {plural(failures, "failure")} of the service in a row.
        </p>
      ))}
      <BreakerHistory breakers={breakers} />
    </>
  );
}

function OpenBreaker({ breaker }: { breaker: BreakerReport }) {
  const { agentId, state, openedAt, retryAt, failures, cause } = breaker;
  return (
    <article class="card stack concern" aria-label={`Circuit breaker of ${agentId}`}>
      <h3>
        <a href={`/agents/${agentId}`}>{agentId}</a>{" "}
        <span class={`chip ${breakerChips[state]}`}>{breakerStatesShown[state]}</span>
      </h3>
      <p>
        <BreakerCause cause={cause} />
      </p>
      <p>
        <BreakerPause state={state} retryAt={retryAt} /> <CauseRun cause={cause} />
      </p>
      <p class="facts">
        {openedAt !== null && (
          <>
            Open since <TimeShown at={openedAt} />
            {failures > 0 && ", "}
          </>
        )}
        {failures > 0 && `${plural(failures, "failure")} in a row`}
      </p>
      {state === "open" && <ResetBreaker agentId={agentId} from="health" />}
    </article>
  );
}

function BreakerHistory({ breakers }: { breakers: readonly BreakerReport[] }) {
  const changes = breakers
    .flatMap(({ agentId, changes: its }) => its.map((change) => ({ agentId, ...change })))
    .toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  if (changes.length === 0) return null;
  return (
    <details>
      <summary>What the breakers did: {plural(changes.length, "change")}</summary>
      <ol class="history">
        {changes.slice(0, changesShownMax).map(({ agentId, at, from, to, reason, runId, code }) => (
          <li>
            <TimeShown at={at} /> <a href={`/agents/${agentId}`}>{agentId}</a>: {breakerStatesShown[from]} →{" "}
            {breakerStatesShown[to]}, {breakerReasonsShown[reason]}
            {code !== null && (
              <>
                {" "}
                (<code>{code}</code>)
              </>
            )}{" "}
            {runId !== null && <a href={`/runs/${runId}`}>See the run</a>}
          </li>
        ))}
      </ol>
    </details>
  );
}
