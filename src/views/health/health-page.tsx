import { type Frame, Page } from "../layout.tsx";
import { elementIds } from "../element-ids.ts";
import { ProblemPlace } from "../forms.tsx";
import { BreakersSection } from "./breakers-section.tsx";
import { ContainmentSection } from "./containment-section.tsx";
import { attentionOf, type Concerns, type HealthFacts, type SectionName } from "./health-facts.ts";
import { LimitsSection } from "./limits-section.tsx";
import { QuarantineSection } from "./quarantine-section.tsx";
import { StoreSection } from "./store-section.tsx";
import { WorkSection } from "./work-section.tsx";
import type { Child } from "hono/jsx";

/** Whether Headway is well, what isn't, and what to do about it. */
export function HealthPage(props: {
  frame: Frame;
  facts: HealthFacts;
  /** What the stream keeps up to date. */
  cursor: string;
  /** What has become of an action; null without one. */
  said: Child;
}) {
  const { frame, facts, cursor, said } = props;
  return (
    <Page frame={frame} title="Health" section="health" following={{ view: "health/", cursor }}>
      <h1>Health</h1>
      <HealthSummary concerns={facts} />
      <ProblemPlace>{said}</ProblemPlace>
      {sectionNames.map((name) => (
        <HealthSection name={name} facts={facts} />
      ))}
      <p class="pager without-script">
        <a href="/health">Look again</a>
      </p>
    </Page>
  );
}

/** What needs a person, each with a link to where it stands. */
export function HealthSummary({ concerns }: { concerns: Concerns }) {
  const attention = attentionOf(concerns);
  return (
    <div id={elementIds.healthSummary} role="status">
      {attention.length === 0 ? (
        <p>All is well: nothing needs you.</p>
      ) : (
        <ul class="attention-list">
          {attention.map(({ section, sentence }) => (
            <li>
              <a href={`#${elementIds.healthSection(section)}`}>{sentence}</a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const sections: Record<SectionName, { title: string; show: (facts: HealthFacts) => Child }> = {
  breakers: {
    title: "Circuit breakers",
    show: ({ breakers }) => <BreakersSection breakers={breakers} />,
  },
  quarantine: {
    title: "Quarantine",
    show: ({ quarantined }) => <QuarantineSection quarantined={quarantined} />,
  },
  work: { title: "Queue and work", show: ({ work }) => <WorkSection work={work} /> },
  containment: {
    title: "Containment",
    show: ({ containment }) => <ContainmentSection report={containment} />,
  },
  store: { title: "Store", show: ({ store }) => <StoreSection store={store} /> },
  limits: { title: "Limits", show: ({ limits }) => <LimitsSection groups={limits} /> },
};

/** In the order in which they stand. */
export const sectionNames = Object.keys(sections) as SectionName[];

/** Changed as a whole when what it shows has. */
export function HealthSection({ name, facts }: { name: SectionName; facts: HealthFacts }) {
  const { title, show } = sections[name];
  return (
    <section id={elementIds.healthSection(name)} class="stack" aria-label={title}>
      <h2>{title}</h2>
      {show(facts)}
    </section>
  );
}
