import type { Frame } from "./layout.tsx";
import { Page } from "./layout.tsx";

export interface DocumentedRoute {
  method: string;
  path: string;
  summary: string;
  tag: string;
  isOpen: boolean;
  answers: { status: string; description: string }[];
  refusals: string[];
}

export interface DocumentedCode {
  code: string;
  status: number | null;
  meaning: string;
}

/** The API, for people: made from the same table as the OpenAPI document. */
export function ApiDocsPage(props: {
  frame: Frame;
  routes: DocumentedRoute[];
  problems: DocumentedCode[];
  runErrors: DocumentedCode[];
}) {
  const { frame, routes, problems, runErrors } = props;
  const tags = [...new Set(routes.map((route) => route.tag))];
  return (
    <Page frame={frame} section="api" title="API" live={false}>
      <h1>API</h1>
      <p>
        Send <code>Authorization: Bearer TOKEN</code>. Bodies are <code>application/json</code>. Errors are{" "}
        <code>application/problem+json</code> with a <code>code</code> from the table below. The machine's
        form of this page is <a href="/api/openapi.json">/api/openapi.json</a>.
      </p>
      {tags.map((tag) => (
        <section>
          <h2>{tag}</h2>
          {routes
            .filter((route) => route.tag === tag)
            .map((route) => (
              <RouteEntry route={route} />
            ))}
        </section>
      ))}
      <CodeTable title="Refusals" prefix="problem" codes={problems} />
      <CodeTable title="Why a run ended otherwise than well" prefix="error" codes={runErrors} />
    </Page>
  );
}

function RouteEntry({ route }: { route: DocumentedRoute }) {
  return (
    <article class="card">
      <h3>
        <code>
          {route.method} {route.path}
        </code>
      </h3>
      <p>
        {route.summary}
        {route.isOpen ? " (open to all)" : ""}
      </p>
      <ul>
        {route.answers.map(({ status, description }) => (
          <li>
            <code>{status}</code> {description}
          </li>
        ))}
      </ul>
      {route.refusals.length > 0 && <p>Refusals: {route.refusals.join(", ")}</p>}
    </article>
  );
}

function CodeTable({ title, prefix, codes }: { title: string; prefix: string; codes: DocumentedCode[] }) {
  return (
    <section>
      <h2>{title}</h2>
      <div class="scrolls">
        <table>
          <thead>
            <tr>
              <th>Code</th>
              <th>Status</th>
              <th>Meaning</th>
            </tr>
          </thead>
          <tbody>
            {codes.map(({ code, status, meaning }) => (
              <tr id={`${prefix}-${code}`}>
                <td>
                  <code>{code}</code>
                </td>
                <td>{status ?? "–"}</td>
                <td>{meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
