import { zValidator } from "@hono/zod-validator";
import type { Context, Handler, Hono, MiddlewareHandler } from "hono";
import type { z } from "zod";
import type { ProblemCode } from "../domain/error-codes.ts";
import type { RouteEnvironment } from "./environment.ts";
import { isUtf8, readJsonBody } from "./json-body.ts";
import { problem } from "./problem.ts";

/** Longest place of a refused value that is said back. */
const pathCharsMax = 200;

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One answer of a route. */
export interface Answer {
  description: string;
  schema?: z.ZodType;
  contentType?: string;
  /** Further content types, which the request asks for. */
  alsoAs?: readonly string[];
}

/** One route, as the router, the OpenAPI document and the tests know it. */
export interface RouteSpec {
  method: Method;
  /** With `:name` for parameters. */
  path: string;
  summary: string;
  tag: "Agents" | "Execute" | "Runs" | "Conversations" | "Operations";
  /** Open routes need neither token nor login. */
  access: "open" | "token";
  query?: z.ZodObject;
  body?: z.ZodObject;
  /** No body at all means `{}`. */
  bodyOptional?: boolean;
  answers: Record<number, Answer>;
  /** Its own; what the checks before it refuse is added in the documents. */
  refusals: readonly ProblemCode[];
}

/** The parsed input of a route: whatever its specification names. */
export interface RouteInput<S extends RouteSpec> {
  query: S["query"] extends z.ZodType ? z.output<S["query"]> : undefined;
  body: S["body"] extends z.ZodType ? z.output<S["body"]> : undefined;
}

export interface RouteTable {
  readonly specs: readonly RouteSpec[];
  /** Adds a route; its body and query are validated by the schemas that the document shows. */
  add<const S extends RouteSpec>(
    spec: S,
    handle: (c: Context<RouteEnvironment>, input: RouteInput<S>) => Response | Promise<Response>,
  ): void;
}

export function createRouteTable(app: Hono<RouteEnvironment>): RouteTable {
  const specs: RouteSpec[] = [];
  return {
    specs,
    add(spec, handle) {
      specs.push(spec);
      const last: Handler<RouteEnvironment> = (c) => handle(c, inputOf(c, spec));
      app.on([spec.method], [spec.path], ...validatorsOf(spec), last);
    },
  };
}

function validatorsOf(spec: RouteSpec): MiddlewareHandler[] {
  const validators: MiddlewareHandler[] = [];
  if (spec.query) validators.push(zValidator("query", spec.query, refuseInvalid));
  if (spec.body && spec.bodyOptional)
    validators.push(unlessEmpty(requireJson), unlessEmpty(bodyValidator(spec.body)));
  else if (spec.body) validators.push(requireJson, bodyValidator(spec.body));
  return validators;
}

function bodyValidator(schema: z.ZodObject): MiddlewareHandler {
  return async (c, next) => {
    const body = await readJsonBody(c);
    if (body.kind === "malformed") return problem(c, "malformed", { detail: body.detail });
    if (body.kind === "half_character") return refuseHalfCharacter(c, body.path);
    const parsed = await schema.safeParseAsync(body.value);
    const refusal = refuseInvalid(parsed, c);
    if (refusal !== undefined) return refusal;
    c.req.addValidatedData("json", parsed.data!);
    return next();
  };
}

function refuseHalfCharacter(c: Context, path: string): Response {
  const errors = [{ path: path.slice(0, pathCharsMax), message: "A text holds half of a character" }];
  return problem(c, "invalid", { detail: sentenceOf(errors), errors });
}

/** A POST without any body has neither a type nor a length. */
function unlessEmpty(validator: MiddlewareHandler): MiddlewareHandler {
  return async (c, next) => {
    const isEmpty = c.req.raw.body === null || c.req.header("content-length") === "0";
    return isEmpty ? next() : validator(c, next);
  };
}

function inputOf<S extends RouteSpec>(c: Context, spec: S): RouteInput<S> {
  const request = c.req as unknown as { valid(target: string): unknown };
  const query = spec.query ? request.valid("query") : undefined;
  const body = spec.body ? (request.valid("json") ?? {}) : undefined;
  return { query, body } as RouteInput<S>;
}

/** A form of another site can send text/plain without asking; it can't send application/json. */
const requireJson: MiddlewareHandler = async (c, next) => {
  const [type, ...parameters] = (c.req.header("content-type") ?? "").split(";");
  if (type?.trim().toLowerCase() === "application/json" && isUtf8(parameters)) return next();
  return problem(c, "unsupported_media_type", { detail: "Set Content-Type: application/json, in UTF-8." });
};

function refuseInvalid(
  result: { success: boolean; error?: { issues: readonly z.core.$ZodIssue[] } },
  c: Context,
): Response | undefined {
  if (result.success || !result.error) return undefined;
  const errors = result.error.issues.flatMap(errorsOf).slice(0, 20);
  return problem(c, "invalid", { detail: sentenceOf(errors), errors });
}

/** Zod names the place where members are unknown; people want the members named. */
function errorsOf(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  const place = (further: readonly PropertyKey[]) =>
    [...issue.path, ...further].map(String).join(".").slice(0, pathCharsMax);
  if (issue.code !== "unrecognized_keys") return [{ path: place([]), message: issue.message }];
  return issue.keys.map((key) => ({ path: place([key]), message: "Not known, or not to be changed here" }));
}

function sentenceOf(errors: readonly { path: string; message: string }[]): string {
  return errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
}

/** Which methods a path answers to, of all that are known: for 405. */
export function methodsAt(paths: readonly { method: string; path: string }[], pathname: string): string[] {
  const methods = new Set<string>();
  for (const { method, path } of paths) if (matches(path, pathname)) methods.add(method);
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods].sort();
}

function matches(pattern: string, pathname: string): boolean {
  const wanted = pattern.split("/");
  const given = pathname.split("/");
  const isOpenEnded = wanted.at(-1) === "*";
  if (isOpenEnded) given.splice(wanted.length - 1, given.length, "*");
  return (
    wanted.length === given.length && wanted.every((part, at) => part.startsWith(":") || part === given[at])
  );
}
