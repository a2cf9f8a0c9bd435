import type { LimitGroup } from "./health-facts.ts";

/** What holds on this server, and which setting says so. */
export function LimitsSection({ groups }: { groups: readonly LimitGroup[] }) {
  return (
    <>
      <p class="hint">
        Set when Headway starts, by environment variables. An agent's own settings may give it another time
        limit and more or less memory.
      </p>
      {groups.map(({ title, limits }) => (
        <div class="limits">
          <h3>{title}</h3>
          <table aria-label={title}>
            <thead class="unseen">
              <tr>
                <th scope="col">Limit</th>
                <th scope="col">Value</th>
              </tr>
            </thead>
            <tbody>
              {limits.map(({ meaning, variable, value }) => (
                <tr>
                  <th scope="row">
                    {meaning} <code class="hint">{variable}</code>
                  </th>
                  <td>{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ))}
    </>
  );
}
