import { isoTime } from "../../domain/clock.ts";
import { RecheckQuarantine } from "../agents/agent-trouble.tsx";
import { TimeShown } from "../time-shown.tsx";
import type { QuarantinedAgent } from "./health-facts.ts";

export function QuarantineSection({ quarantined }: { quarantined: readonly QuarantinedAgent[] }) {
  if (quarantined.length === 0) return <p>No agent is in quarantine.</p>;
  return (
    <>
      <p class="hint">
        Processes of an earlier run could not be ended, and might still work in the agent's folder. So that
        nothing else does at the same time, the agent takes no messages. Headway tries to end them again from
        time to time. Where it can't, end them yourself, or start the machine anew; then check again.
      </p>
      {quarantined.map(({ agentId, sinceMs }) => (
        <article class="card stack concern" aria-label={`Quarantine of ${agentId}`}>
          <h3>
            <a href={`/agents/${agentId}`}>{agentId}</a>{" "}
            <span class="chip status-quarantined">quarantined</span>
          </h3>
          <p class="facts">
            Since <TimeShown at={isoTime(sinceMs)} />
          </p>
          <RecheckQuarantine agentId={agentId} from="health" />
        </article>
      ))}
    </>
  );
}

/** What a look at its processes has brought. */
export function QuarantineChecked(props: { agentId: string; quarantined: boolean; survivors: number }) {
  const { agentId, quarantined, survivors } = props;
  if (!quarantined) {
    return (
      <p class="saved">{agentId} is free: nothing of its earlier runs lives any more. It takes messages.</p>
    );
  }
  return (
    <p class="problem">
      {agentId} stays in quarantine{survivors > 0 && `: ${survivorsShown(survivors)}`}.
    </p>
  );
}

function survivorsShown(survivors: number): string {
  return survivors === 1
    ? "1 process of its earlier runs lives on"
    : `${survivors} processes of its earlier runs live on`;
}
