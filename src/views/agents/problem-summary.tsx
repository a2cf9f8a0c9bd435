import { elementIds } from "../element-ids.ts";
import type { FieldProblems } from "../forms.tsx";
import { plural } from "../wording.ts";

/**
 * All problems of a form that came back, at its top, each leading to its field. It has the focus, so that
 * whoever can't see the page begins there too. `labels` are the fields in their order; "" is the form.
 */
export function ProblemSummary(props: { problems: FieldProblems; labels: Readonly<Record<string, string>> }) {
  const { problems, labels } = props;
  const fields = Object.keys(labels).filter((name) => problems[name] !== undefined);
  const general = problems[""];
  const count = fields.length + (general === undefined ? 0 : 1);
  if (count === 0) return null;
  return (
    <div class="problem-summary" id={elementIds.problemSummary} role="alert" tabindex={-1} autofocus>
      <h2>{plural(count, "problem")}</h2>
      <ul>
        {general !== undefined && <li>{general}</li>}
        {fields.map((name) => (
          <li>
            <a href={`#${elementIds.field(name)}`}>{labels[name]}</a>: {problems[name]}
          </li>
        ))}
      </ul>
    </div>
  );
}
