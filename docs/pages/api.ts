import { z } from "zod";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../src/app.ts";
import { parseConfig } from "../../src/config.ts";
import { type ProblemCode, problems } from "../../src/domain/error-codes.ts";
import { runEventBodySchema } from "../../src/domain/event.ts";
import { defaultOf, describeShape, fieldTable, type JsonShape, namedShapes } from "./json-shape.ts";
import { code, page, table } from "./markdown.ts";

interface Operation {
  summary: string;
  tags: [string];
  security: unknown[];
  parameters: { name: string; in: string; description?: string; schema: JsonShape }[];
  requestBody?: { required: boolean; content: Record<string, { schema: JsonShape }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: JsonShape }> }>;
}

interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
}

const jsonType = "application/json";
const problemType = "application/problem+json";

/** Told once at the top instead of with each route. */
const refusalsOfAnyRoute: readonly string[] = [
  "malformed",
  "unauthorized",
  "forbidden_host",
  "forbidden_origin",
  "payload_too_large",
  "unsupported_media_type",
] satisfies ProblemCode[];

const introduction = `Send \`Authorization: Bearer TOKEN\` (or the cookie of a login) with everything that isn't marked as open.
Bodies are \`application/json\`, at most 8 MiB. Times are ISO 8601 in UTC with milliseconds. Lists are
\`{items, nextCursor}\`, newest first, with \`?limit=\` (1 to 500, default 50) and \`?cursor=\`. A refused
request is \`application/problem+json\` with a \`code\` from [the closed list](errors.md); those of the checks
that stand before every route (${refusalsOfAnyRoute.map(code).join(", ")}) are left out
below. Every response has an \`X-Request-Id\`. The same as an OpenAPI 3.1 document is at \`/api/openapi.json\` of every server, and for
reading at \`/api/docs\`.`;

const streams = `A stream of server-sent events has \`id:\` (the event's seq), \`event:\` (its type) and \`data:\` (the event
as JSON). It begins after \`Last-Event-ID\`, or \`?after=\`, or at the start; a comment comes at least every 15
seconds; it ends after \`run.finished\`.`;

/** From the OpenAPI document that the composed app itself serves, without a socket. */
export async function apiPage(): Promise<string> {
  const { paths } = await readOpenApi();
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags[0]))];
  const sections = tags.flatMap((tag) => {
    const own = operations.filter(({ operation }) => operation.tags[0] === tag);
    return [`## ${tag}`, ...own.flatMap(operationParts)];
  });
  return page("HTTP API", "the route table in src/routes", [introduction, ...sections, ...shapeParts()]);
}

async function readOpenApi(): Promise<OpenApi> {
  const dataDir = mkdtempSync(join(tmpdir(), "headway-docs-"));
  const bound = { host: "127.0.0.1", port: 4270 };
  const parsed = parseConfig({ HEADWAY_DATA_DIR: dataDir, HEADWAY_LOG_LEVEL: "error" });
  if (parsed.kind === "bad") throw new Error(parsed.message);
  const app = createApp(parsed.config);
  try {
    const outcome = await app.start(bound);
    if (outcome.kind === "refused") throw new Error(outcome.message);
    const headers = { host: `${bound.host}:${bound.port}`, authorization: `Bearer ${app.token}` };
    const answer = await app.fetch(new Request("http://127.0.0.1:4270/api/openapi.json", { headers }));
    return (await answer.json()) as OpenApi;
  } finally {
    await app.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function operationParts({ method, path, operation }: { method: string; path: string; operation: Operation }) {
  const open = operation.security.length === 0 ? " Open to all." : "";
  const parts = [`### ${code(`${method} ${path}`)}`, `${operation.summary}.${open}`];
  const parameters = operation.parameters.filter((parameter) => parameter.in !== "path");
  if (parameters.length > 0) parts.push(parameterTable(parameters));
  const body = operation.requestBody;
  if (body) {
    const shape = body.content["application/json"]?.schema ?? {};
    parts.push(body.required ? "Body:" : "Body, which may be left out:", fieldTable(shape, true));
  }
  return [...parts, answerList(operation.responses)];
}

function parameterTable(parameters: Operation["parameters"]): string {
  const rows = parameters.map(({ name, in: place, description, schema }) => [
    code(name),
    place,
    description ?? describeShape(schema),
    defaultOf(schema),
  ]);
  return table(["parameter", "in", "value", "default"], rows);
}

function answerList(responses: Operation["responses"]): string {
  const lines = Object.entries(responses)
    .filter(([, { description }]) => !isRefusalOfAnyRoute(description))
    .map(([status, { description, content = {} }]) => {
      const forms = Object.entries(content).filter(([type]) => type !== problemType);
      const shown = forms.map(([type, { schema }]) =>
        type === jsonType ? describeShape(schema) : code(type),
      );
      return `- ${code(status)} ${codesMarked(description)}${shown.length > 0 ? ": " : ""}${shown.join(" or ")}`;
    });
  return lines.join("\n");
}

function isRefusalOfAnyRoute(description: string): boolean {
  return description.split(", ").every((name) => refusalsOfAnyRoute.includes(name));
}

/** Problem codes stand in descriptions as bare words with an underscore, or alone. */
function codesMarked(description: string): string {
  return description.replaceAll(/\b[a-z_]+\b/g, (word) => (word in problems ? code(word) : word));
}

function shapeParts(): string[] {
  const parts = namedShapes.flatMap(({ name, shape }) => {
    if (name === "RunEvent") return [`### ${name}`, streams, eventTable()];
    return [`### ${name}`, fieldTable(shape, false)];
  });
  return ["## Shapes", ...parts];
}

function eventTable(): string {
  const rows = runEventBodySchema.options.map((option) => {
    const { properties = {} } = z.toJSONSchema(option) as JsonShape;
    const { type, ...fields } = properties;
    const shown = Object.entries(fields).map(([name, shape]) => `${code(name)} ${describeShape(shape)}`);
    return [code(String(type?.const)), shown.join("; ") || "–"];
  });
  const common = "Every event has `seq` (dense from 1), `runId` and `at`.";
  return [common, table(["type", "further fields"], rows)].join("\n\n");
}
