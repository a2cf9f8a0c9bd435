import { z } from "zod";
import { problems, runErrors } from "../domain/error-codes.ts";
import { ApiDocsPage } from "../views/api-docs.tsx";
import type { Frame } from "../views/layout.tsx";
import { sendDocument } from "./document.ts";
import { openApiDocument, refusalsOf } from "./openapi.ts";
import type { RouteTable } from "./route-table.ts";

export interface DocsDeps {
  version: string;
  frame(): Frame;
}

/** The API's description, for programs and for people; both come from the route table. */
export function addDocsRoutes(table: RouteTable, deps: DocsDeps): void {
  table.add(
    {
      method: "GET",
      path: "/api/openapi.json",
      summary: "This API as an OpenAPI 3.1 document",
      tag: "Operations",
      access: "token",
      answers: { 200: { description: "The document", schema: z.record(z.string(), z.unknown()) } },
      refusals: [],
    },
    (c) => c.json(openApiDocument(table.specs, deps.version)),
  );
  table.add(
    {
      method: "GET",
      path: "/api/docs",
      summary: "This API as a page",
      tag: "Operations",
      access: "token",
      answers: { 200: { description: "The page", contentType: "text/html" } },
      refusals: [],
    },
    (c) => sendDocument(c, <ApiDocsPage frame={deps.frame()} {...documented(table)} />),
  );
}

function documented(table: RouteTable) {
  return {
    routes: table.specs.map((spec) => {
      const { method, path, summary, tag, access, answers } = spec;
      return {
        method,
        path: path.replace(/:(\w+)/g, "{$1}"),
        summary,
        tag,
        isOpen: access === "open",
        answers: Object.entries(answers).map(([status, { description }]) => ({ status, description })),
        refusals: refusalsOf(spec),
      };
    }),
    problems: Object.entries(problems).map(([code, { status, title }]) => ({ code, status, meaning: title })),
    runErrors: Object.entries(runErrors).map(([code, { message, advice }]) => ({
      code,
      status: null,
      meaning: `${message} ${advice}`,
    })),
  };
}
