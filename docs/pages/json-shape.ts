import { z } from "zod";
import { agentSchema } from "../../src/domain/agent.ts";
import {
  conversationHeadSchema,
  conversationListItemSchema,
  conversationSchema,
  turnSchema,
} from "../../src/domain/conversation.ts";
import { runEventSchema } from "../../src/domain/event.ts";
import {
  anomalySchema,
  runErrorSchema,
  runListItemSchema,
  runSchema,
  usageSchema,
} from "../../src/domain/run.ts";
import { code, table } from "./markdown.ts";

/** JSON Schema, as far as zod makes it. */
export interface JsonShape {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonShape[];
  allOf?: JsonShape[];
  items?: JsonShape;
  prefixItems?: JsonShape[];
  properties?: Record<string, JsonShape>;
  required?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
}

/** The shapes that have a heading of their own, in the order in which they are shown. */
const namedSchemas = {
  Agent: agentSchema,
  Run: runSchema,
  RunListItem: runListItemSchema,
  RunError: runErrorSchema,
  Usage: usageSchema,
  Anomaly: anomalySchema,
  RunEvent: runEventSchema,
  Conversation: conversationSchema,
  ConversationHead: conversationHeadSchema,
  ConversationListItem: conversationListItemSchema,
  Turn: turnSchema,
};

export const namedShapes = Object.entries(namedSchemas).map(([name, schema]) => ({
  name,
  shape: shapeOf(schema),
}));

const names = new Map(namedShapes.map(({ name, shape }) => [JSON.stringify(shape), name]));

function shapeOf(schema: z.ZodType): JsonShape {
  const { $schema: _dialect, ...shape } = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" });
  return shape as JsonShape;
}

/** A shape in words; one that has a heading is a link to it. */
export function describeShape(shape: JsonShape): string {
  const name = names.get(JSON.stringify(shape));
  if (name) return `[${name}](#${name.toLowerCase()})`;
  const either = shape.anyOf ?? (Array.isArray(shape.type) ? shape.type.map((type) => ({ type })) : null);
  if (either) return either.map(describeShape).join(" or ");
  if (shape.enum) return shape.enum.map((value) => code(String(value))).join(", ");
  if (shape.const !== undefined) return code(String(shape.const));
  if (shape.prefixItems) return `[${shape.prefixItems.map(describeShape).join(", ")}]`;
  if (shape.items) return `list of ${describeShape(shape.items)}`;
  if (shape.properties) return describeFields(shape);
  const limits = [limitsOf(shape), shape.pattern && code(shape.pattern)].filter(Boolean).join(", ");
  return `${String(shape.type ?? "any value")}${limits && ` (${limits})`}`;
}

function describeFields({ properties = {}, required = [] }: JsonShape): string {
  const fields = Object.entries(properties).map(([name, shape]) => {
    return `${code(required.includes(name) ? name : `${name}?`)} ${describeShape(shape)}`;
  });
  return `{ ${fields.join("; ")} }`;
}

/** JSON Schema gives every whole number JavaScript's own bounds, which say nothing. */
function limitsOf({ type, minimum, maximum, minLength, maxLength }: JsonShape): string {
  const isBound = (value: number | undefined) => value !== undefined && Number.isSafeInteger(value * 2);
  const low = isBound(minimum) ? minimum : minLength;
  const high = isBound(maximum) ? maximum : maxLength;
  const unit = type === "string" ? " characters" : "";
  if (low !== undefined && high !== undefined) return `${low} to ${high}${unit}`;
  if (high !== undefined) return `at most ${high}${unit}`;
  return low === undefined ? "" : `at least ${low}${unit}`;
}

/** A shape's fields as a table, for a named shape or a body. */
export function fieldTable(shape: JsonShape, asInput: boolean): string {
  const { properties = {}, required = [] } = shape;
  const rows = Object.entries(properties).map(([name, field]) => {
    const row = [code(name), describeShape(field)];
    return asInput ? [...row, required.includes(name) ? "needed" : defaultOf(field)] : row;
  });
  return table(asInput ? ["field", "value", "default"] : ["field", "value"], rows);
}

export function defaultOf({ default: value }: JsonShape): string {
  return value === undefined ? "–" : code(String(value));
}
