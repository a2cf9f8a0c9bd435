import {
  type ContainmentReport,
  type Ending,
  type Escape,
  endings,
  escapes,
} from "../../domain/containment-report.ts";
import { TimeShown } from "../time-shown.tsx";
import { visibleText } from "../visible-text.ts";
import {
  containmentStatusesShown,
  endingsShown,
  escapesShown,
  memoryGuardsShown,
  outcomeShown,
  rungsShown,
} from "./containment-words.ts";

export function ContainmentSection({ report }: { report: ContainmentReport }) {
  const { status, rung, because, fix, sandboxOff } = report;
  return (
    <>
      {sandboxOff && <SandboxOff />}
      <p>
        <span class={`chip containment-${status} ${chipOf(status)}`}>{containmentStatusesShown[status]}</span>{" "}
        {rungsShown[rung]}
      </p>
      {because !== null && <p>{visibleText(because)}</p>}
      {fix !== null && (
        <p>
          <strong>What to do:</strong> {visibleText(fix)}
        </p>
      )}
      <FilePolicy report={report} />
      <MemoryLimit report={report} />
      <SelfTest report={report} />
    </>
  );
}

function chipOf(status: ContainmentReport["status"]): string {
  return { full: "state-succeeded", degraded: "status-blocked", unknown: "state-queued" }[status];
}

function SandboxOff() {
  return (
    <p class="warning">
      <strong>The sandbox is off.</strong> Agents run with all that your user may do, and they can read
      Headway's own data. Remove <code>HEADWAY_SANDBOX=off</code> and start Headway again to turn it on.
    </p>
  );
}

function FilePolicy({ report: { filePolicy } }: { report: ContainmentReport }) {
  return (
    <p>
      {filePolicy
        ? "An agent's settings can keep it from writing outside of its folder and its CLI's own."
        : "Agents can't be kept from writing outside of their folders here: that takes bubblewrap."}
    </p>
  );
}

function MemoryLimit({ report: { memoryLimit } }: { report: ContainmentReport }) {
  const { by, because } = memoryLimit;
  return (
    <p>
      {memoryGuardsShown[by]}
      {because !== null && ` ${visibleText(because)}`}
    </p>
  );
}

function SelfTest({ report: { tests, testedAt, cached, status } }: { report: ContainmentReport }) {
  if (tests.length === 0) {
    return (
      <p class="hint">
        {status === "unknown"
          ? "The self-test runs shortly after the start, unless HEADWAY_SELF_TEST is off."
          : "No self-test was made."}
      </p>
    );
  }
  return (
    <>
      <h3>What tried to outlive its run, and whether it did</h3>
      <SelfTestTable tests={tests} />
      <p class="facts">
        Tested <TimeShown at={testedAt} />
        {cached && ", at an earlier start with the same tools since the machine was booted"}
      </p>
    </>
  );
}

function SelfTestTable({ tests }: Pick<ContainmentReport, "tests">) {
  const tried = escapes.filter((escape) => tests.some((test) => test.escape === escape));
  return (
    <table class="self-test">
      <thead>
        <tr>
          <th scope="col">Attempt</th>
          {endings.map((ending) => (
            <th scope="col">{endingsShown[ending]}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {tried.map((escape) => (
          <tr>
            <th scope="row">{escapesShown[escape]}</th>
            {endings.map((ending) => (
              <Outcome tests={tests} escape={escape} ending={ending} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Outcome(props: { tests: ContainmentReport["tests"]; escape: Escape; ending: Ending }) {
  const { tests, escape, ending } = props;
  const found = tests.find((test) => test.escape === escape && test.ending === ending);
  if (found === undefined) return <td>not tried</td>;
  const livesOn = found.survivors !== null && found.survivors > 0;
  return <td class={livesOn ? "lives-on" : undefined}>{visibleText(outcomeShown(found))}</td>;
}
