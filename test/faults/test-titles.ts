import { parseSync } from "oxc-parser";

interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

export interface TestTexts {
  /** Titles of tests, as they are written: with the `%s` of a table and the `${…}` of a template. */
  titles: string[];
  /** All other plain strings: names of rows among them. */
  strings: string[];
}

/** What a test file says its tests are called, by its syntax: a title in a comment is none. */
export function readTestTexts(path: string, text: string): TestTexts {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const found: TestTexts = { titles: [], strings: [] };
  const visit = (node: Node) => {
    const title = node.type === "CallExpression" && isTest(node.callee as Node) ? titleOf(node, text) : null;
    if (title !== null) found.titles.push(title);
    if (node.type === "Literal" && typeof node.value === "string") found.strings.push(node.value);
    for (const value of Object.values(node)) for (const child of childrenOf(value)) visit(child);
  };
  visit(program as unknown as Node);
  return found;
}

/** `test`, and what it makes: `test.each(rows)`, `test.skipIf(without)`. */
function isTest(callee: Node): boolean {
  if (callee.type === "Identifier") return callee.name === "test";
  if (callee.type === "MemberExpression") return isTest(callee.object as Node);
  return callee.type === "CallExpression" && isTest(callee.callee as Node);
}

function titleOf(call: Node, text: string): string | null {
  const [first] = call.arguments as Node[];
  if (first?.type === "Literal" && typeof first.value === "string") return first.value;
  return first?.type === "TemplateLiteral" ? text.slice(first.start + 1, first.end - 1) : null;
}

function childrenOf(value: unknown): Node[] {
  const items = Array.isArray(value) ? value : [value];
  return items.filter((item): item is Node => typeof item === "object" && item !== null && "type" in item);
}
