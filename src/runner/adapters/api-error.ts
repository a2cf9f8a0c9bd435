import { z } from "zod";
import { parseJson } from "./json-line.ts";
import { number, text } from "./lenient-fields.ts";

const apiErrorSchema = z.object({ error: z.object({ code: number, message: text }) });

/** The error of a model's API, which CLIs give as its JSON within their own words; null for anything else. */
export function apiErrorIn(json: string): z.infer<typeof apiErrorSchema>["error"] | null {
  return apiErrorSchema.safeParse(parseJson(json)).data?.error ?? null;
}
