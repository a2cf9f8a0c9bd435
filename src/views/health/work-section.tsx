import { countShown, plural } from "../wording.ts";
import type { Work } from "./health-facts.ts";

/** Agents with waiting messages that are named. */
const waitingShownMax = 50;

export function WorkSection({ work }: { work: Work }) {
  const { waiting, isDraining } = work;
  const messages = waiting.reduce((sum, agent) => sum + agent.messages, 0);
  return (
    <>
      {isDraining && (
        <p class="warning">
          <strong>The server is shutting down.</strong> What runs may finish; nothing new begins.
        </p>
      )}
      <dl class="facts-table">
        <Figure name="Runs in progress" now={work.running} max={work.runsMax} />
        <Figure name="Messages that wait" now={messages} />
        <Figure name="CLI processes kept warm" now={work.warm} max={work.warmMax} />
        <Figure name="CLI processes coming up" now={work.starting} max={work.startsMax} />
        <Figure name="Event streams" now={work.streams} max={work.streamsMax} />
      </dl>
      {waiting.length > 0 && <Waiting waiting={waiting} />}
    </>
  );
}

/** "2 of 10". */
function Figure({ name, now, max }: { name: string; now: number; max?: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {countShown(now)}
        {max !== undefined && ` of ${countShown(max)}`}
      </dd>
    </div>
  );
}

function Waiting({ waiting }: Pick<Work, "waiting">) {
  const more = waiting.length - waitingShownMax;
  return (
    <>
      <h3>Who has messages waiting</h3>
      <ul class="waiting-agents">
        {waiting.slice(0, waitingShownMax).map(({ agentId, messages }) => (
          <li>
            <a href={`/agents/${agentId}`}>{agentId}</a>: {plural(messages, "message")}
          </li>
        ))}
        {more > 0 && <li>and {plural(more, "more agent")}</li>}
      </ul>
    </>
  );
}
