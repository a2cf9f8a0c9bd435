import type { Agent } from "../../domain/agent.ts";
import type { BreakerReport } from "../../domain/breaker.ts";
import { withStop } from "../../domain/run.ts";
import { ActionForm, type ReturnPlace } from "../forms.tsx";
import { TimeShown } from "../time-shown.tsx";
import { visibleText } from "../visible-text.ts";
import { cut } from "../wording.ts";

/** A failure in the words of whoever told it. */
const messageCharsMax = 600;

export interface AgentTroubleProps {
  agent: Pick<Agent, "id" | "status" | "breaker">;
  /** Null where it is as it was made. */
  breaker: BreakerReport | null;
  /** Where its buttons lead back to. */
  from: ReturnPlace;
}

/** Why an agent takes no messages, until when, and what to do; nothing for one that takes them. */
export function AgentTrouble({ agent, breaker, from }: AgentTroubleProps) {
  if (agent.status === "quarantined") return <QuarantineTrouble agentId={agent.id} from={from} />;
  if (agent.breaker.state === "closed") return null;
  return (
    <>
      <p>
        <strong>
          {agent.breaker.state === "open"
            ? `The circuit breaker of ${agent.id} is open.`
            : `The circuit breaker of ${agent.id} is half open.`}
        </strong>{" "}
        <BreakerCause cause={breaker?.cause ?? null} />{" "}
        <BreakerPause state={agent.breaker.state} retryAt={agent.breaker.retryAt} />{" "}
        <CauseRun cause={breaker?.cause ?? null} />
      </p>
      {agent.breaker.state === "open" && <ResetBreaker agentId={agent.id} from={from} />}
    </>
  );
}

function QuarantineTrouble({ agentId, from }: { agentId: string; from: ReturnPlace }) {
  return (
    <>
      <p>
        <strong>{agentId} is in quarantine.</strong> Processes of an earlier run could not be ended, so it
        takes no messages. End them, or start the machine anew; then check again.
      </p>
      <RecheckQuarantine agentId={agentId} from={from} />
    </>
  );
}

/** What went wrong, in the failure's own words, and what a person can do; many a failure says that itself. */
export function BreakerCause({ cause }: { cause: BreakerReport["cause"] }) {
  if (cause === null) return null;
  const { message, advice } = cause;
  const { text, missing } = cut(message, messageCharsMax);
  return (
    <>
      {visibleText(missing > 0 ? `${text} …` : withStop(text))} {!message.endsWith(advice) && advice}
    </>
  );
}

export function CauseRun({ cause }: { cause: BreakerReport["cause"] }) {
  const runId = cause?.runId ?? null;
  return runId === null ? null : <a href={`/runs/${runId}`}>See the run</a>;
}

/** Until when it takes no messages. */
export function BreakerPause({ state, retryAt }: Pick<BreakerReport, "state" | "retryAt">) {
  if (state === "half_open") {
    return <>One message is let through as a probe; the others wait for how it ends.</>;
  }
  if (retryAt === null) return <>It takes no messages.</>;
  return (
    <>
      It takes no messages until <TimeShown at={retryAt} />; then one is let through as a probe.
    </>
  );
}

interface WayOutProps {
  agentId: string;
  from: ReturnPlace;
}

export function ResetBreaker({ agentId, from }: WayOutProps) {
  const action = `/agents/${agentId}/breaker/reset`;
  return <WayOut action={action} label="Try again now" agentId={agentId} from={from} />;
}

export function RecheckQuarantine({ agentId, from }: WayOutProps) {
  const action = `/agents/${agentId}/quarantine/recheck`;
  return <WayOut action={action} label="Check again" agentId={agentId} from={from} />;
}

/** Small where it is one of many. */
function WayOut({ agentId, from, ...rest }: WayOutProps & { action: string; label: string }) {
  return <ActionForm {...rest} {...(from === "board" && { class: "quiet" })} of={agentId} from={from} />;
}
