import { z } from "zod";
import { type ProblemCode, problems } from "../domain/error-codes.ts";
import type { Answer, RouteSpec } from "./route-table.ts";

type Json = Record<string, unknown>;

const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(problems) as [string, ...string[]]),
  requestId: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** The OpenAPI 3.1 document, made from the very schemas that validate. */
export function openApiDocument(specs: readonly RouteSpec[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const spec of specs) {
    const path = spec.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operationOf(spec) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Headway",
      version,
      description: "Runs coding-agent CLIs as supervised headless processes.",
    },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, "output") },
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        login: { type: "apiKey", in: "cookie", name: "headway_login" },
      },
    },
  };
}

function operationOf(spec: RouteSpec): Json {
  return {
    summary: spec.summary,
    tags: [spec.tag],
    operationId: operationIdOf(spec),
    security: spec.access === "open" ? [] : [{ token: [] }, { login: [] }],
    parameters: [...pathParameters(spec), ...queryParameters(spec), ...headerParameters(spec)],
    ...(spec.body && {
      requestBody: {
        required: !spec.bodyOptional,
        content: { "application/json": { schema: jsonSchema(spec.body, "input") } },
      },
    }),
    responses: responsesOf(spec),
  };
}

function operationIdOf({ method, path }: RouteSpec): string {
  const words = path.split(/[/:-]/).filter((word) => word !== "" && word !== "api");
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join(
    "",
  );
}

function pathParameters({ path }: RouteSpec): Json[] {
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]);
  return names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
}

function queryParameters({ query }: RouteSpec): Json[] {
  if (!query) return [];
  const { properties = {} } = jsonSchema(query, "input") as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema }));
}

const header = (name: string, description: string): Json => ({
  name,
  in: "header",
  required: false,
  description,
  schema: { type: "string" },
});

function headerParameters(spec: RouteSpec): Json[] {
  if (spec.tag === "Execute") {
    return [
      header(
        "Idempotency-Key",
        "At most 128 characters; the same key and body give the same run for at least 24 hours.",
      ),
      header("Prefer", "respond-async answers 202 with the run at once."),
      header("Accept", "text/event-stream streams the run's events."),
    ];
  }
  if (spec.path.endsWith("/events")) {
    return [
      header("Accept", "text/event-stream streams the events."),
      header("Last-Event-ID", "Resume strictly after this seq."),
    ];
  }
  return [];
}

function responsesOf(spec: RouteSpec): Json {
  const responses: Json = {};
  for (const [status, answer] of Object.entries(spec.answers)) responses[status] = responseOf(answer);
  for (const [status, codes] of refusalsByStatus(spec)) {
    responses[status] = withRefusals(responses[status] as ResponseOf | undefined, codes);
  }
  return responses;
}

interface ResponseOf {
  description: string;
  content?: Json;
}

/** One status may be an answer and a refusal: 503 is an interrupted run as well as a server that drains. */
function withRefusals(answer: ResponseOf | undefined, codes: readonly string[]): ResponseOf {
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  const description = codes.join(", ");
  if (!answer) return { description, content };
  return {
    description: `${answer.description}; or ${description}`,
    content: { ...answer.content, ...content },
  };
}

function responseOf({ description, schema, contentType = "application/json", alsoAs = [] }: Answer): Json {
  if (!schema && contentType === "application/json") return { description };
  const asText = { schema: { type: "string" } };
  return {
    description,
    content: {
      [contentType]: schema ? { schema: jsonSchema(schema, "output") } : asText,
      ...Object.fromEntries(alsoAs.map((type) => [type, asText])),
    },
  };
}

/** Every code that a route may refuse with: its own, and those of the checks that stand before it. */
export function refusalsOf({ access, query, body, refusals }: RouteSpec): ProblemCode[] {
  const codes = new Set<ProblemCode>(["forbidden_host", "forbidden_origin"]);
  if (access === "token") codes.add("unauthorized");
  if (body) for (const code of bodyRefusals) codes.add(code);
  if (body || query) codes.add("invalid");
  for (const code of refusals) codes.add(code);
  return [...codes];
}

const bodyRefusals = ["malformed", "payload_too_large", "unsupported_media_type"] as const;

function refusalsByStatus(spec: RouteSpec): Map<string, string[]> {
  const byStatus = new Map<string, string[]>();
  for (const code of refusalsOf(spec)) {
    const status = String(problems[code].status);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
