/** A JSON Schema as our OpenAPI document has them. */
export type JsonSchema = Record<string, unknown>;

const knownWords = new Set(
  (
    "$ref type properties required additionalProperties propertyNames items prefixItems enum const anyOf oneOf " +
    "allOf pattern minimum maximum minLength maxLength minItems maxItems description default format"
  ).split(" "),
);

/** Where a value isn't as the schema says, a line each. Throws for a word of JSON Schema that it doesn't know. */
export function schemaTroubles(schema: JsonSchema, value: unknown, at = "$"): string[] {
  const unknown = Object.keys(schema).filter((word) => !knownWords.has(word));
  if (unknown.length > 0 || "$ref" in schema) throw new Error(`${at}: what is ${unknown.join() || "$ref"}?`);
  return [
    ...typeTroubles(schema, value, at),
    ...objectTroubles(schema, value, at),
    ...listTroubles(schema, value, at),
    ...combinedTroubles(schema, value, at),
  ];
}

function typeTroubles(
  { type, enum: choices, const: only, pattern, minimum, maximum }: JsonSchema,
  value: unknown,
  at: string,
) {
  const troubles: string[] = [];
  if (typeof type === "string" && !hasType(type, value)) troubles.push(`${at} is no ${type}`);
  if (Array.isArray(choices) && !choices.includes(value))
    troubles.push(`${at} is none of ${choices.join(", ")}`);
  if (only !== undefined && value !== only) troubles.push(`${at} isn't ${JSON.stringify(only)}`);
  if (typeof value === "string" && typeof pattern === "string" && !new RegExp(pattern, "u").test(value))
    troubles.push(`${at} doesn't match ${pattern}`);
  if (typeof value === "number" && (value < Number(minimum ?? value) || value > Number(maximum ?? value)))
    troubles.push(`${at} is out of bounds`);
  return troubles;
}

function hasType(type: string, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function objectTroubles(schema: JsonSchema, value: unknown, at: string): string[] {
  if (!hasType("object", value)) return [];
  const {
    properties = {},
    required = [],
    additionalProperties,
  } = schema as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
    additionalProperties?: JsonSchema | boolean;
  };
  const missing = required
    .filter((name) => !(name in (value as object)))
    .map((name) => `${at}.${name} is missing`);
  const inside = Object.entries(value as object).flatMap(([name, item]) => {
    const known = properties[name];
    if (known) return schemaTroubles(known, item, `${at}.${name}`);
    if (additionalProperties === false) return [`${at}.${name} isn't documented`];
    return typeof additionalProperties === "object"
      ? schemaTroubles(additionalProperties, item, `${at}.${name}`)
      : [];
  });
  return [...missing, ...inside];
}

function listTroubles(schema: JsonSchema, value: unknown, at: string): string[] {
  if (!Array.isArray(value)) return [];
  const { items, prefixItems = [] } = schema as { items?: JsonSchema; prefixItems?: JsonSchema[] };
  return value.flatMap((item, index) => {
    const wanted = prefixItems[index] ?? items;
    return wanted ? schemaTroubles(wanted, item, `${at}[${index}]`) : [];
  });
}

function combinedTroubles(schema: JsonSchema, value: unknown, at: string): string[] {
  const { anyOf, oneOf, allOf = [] } = schema as Record<string, JsonSchema[] | undefined>;
  const choices = anyOf ?? oneOf;
  const fits = choices?.some((choice) => schemaTroubles(choice, value, at).length === 0) ?? true;
  return [
    ...(fits ? [] : [`${at} fits none of its ${choices?.length} forms`]),
    ...(allOf ?? []).flatMap((part) => schemaTroubles(part, value, at)),
  ];
}
