import type { TestApp } from "./test-app.ts";

export interface RouteCase {
  method: string;
  /** The path with made-up names for its parameters. */
  path: string;
  isOpen: boolean;
}

const openPaths = new Set(["/healthz", "/readyz", "/login"]);

/** Every route there is, of API and pages; open ones are listed here by hand, as the contract has them. */
export function routeCases(app: TestApp): RouteCase[] {
  return app.routes.paths.map(({ method, path }) => ({
    method,
    path: path.replace(/:\w+/g, "nobody").replace("*", "app.css"),
    isOpen: openPaths.has(path) || path.startsWith("/assets/"),
  }));
}

/** What must stand on every answer, whatever it is. */
export function surfaceTroubles(response: Response): string[] {
  const { headers } = response;
  const policy = headers.get("content-security-policy") ?? "";
  const troubles: string[] = [];
  const expectThat = (isTrue: boolean, trouble: string) => void (isTrue || troubles.push(trouble));
  expectThat(/^[A-Za-z0-9_-]{8,64}$/.test(headers.get("x-request-id") ?? ""), "no X-Request-Id");
  expectThat(policy.includes("default-src 'none'"), "no CSP");
  expectThat(policy.includes("frame-ancestors 'none'"), "may be framed");
  expectThat(policy.includes("base-uri 'none'"), "may have another base");
  expectThat(!/unsafe-|\*|https?:/.test(policy), "CSP is open");
  expectThat(headers.get("x-content-type-options") === "nosniff", "may be sniffed");
  expectThat(headers.get("cross-origin-resource-policy") === "same-origin", "may be embedded");
  expectThat(headers.has("referrer-policy"), "no Referrer-Policy");
  for (const name of headers.keys())
    expectThat(!name.startsWith("access-control-"), `${name} lets others in`);
  return troubles;
}
