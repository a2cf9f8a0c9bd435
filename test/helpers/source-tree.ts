import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";

export const projectDir = fileURLToPath(new URL("../..", import.meta.url));

export interface SourceFile {
  /** Relative to the project, with forward slashes. */
  path: string;
  text: string;
}

/** The TypeScript files below a folder of the project. */
export function readSources(folder: string): SourceFile[] {
  const root = join(projectDir, folder);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(projectDir, path), text: readFileSync(path, "utf8") }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export interface ImportOf {
  /** As written, or resolved to a path of the project when relative. */
  target: string;
  isTypeOnly: boolean;
}

export function importsOf({ path, text }: SourceFile): ImportOf[] {
  const { module } = parseSync(path, text);
  const found: ImportOf[] = module.staticImports.map((statement) => ({
    target: resolve(path, statement.moduleRequest.value),
    isTypeOnly: statement.entries.length > 0 && statement.entries.every((entry) => entry.isType),
  }));
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest) found.push({ target: resolve(path, moduleRequest.value), isTypeOnly: isType });
    }
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const target = text.slice(moduleRequest.start, moduleRequest.end).replace(/^["'`]|["'`]$/g, "");
    found.push({ target: resolve(path, target), isTypeOnly: false });
  }
  return found;
}

function resolve(from: string, target: string): string {
  return target.startsWith(".") ? join(from, "..", target) : target;
}

export interface FunctionSize {
  name: string;
  path: string;
  line: number;
  /** Lines of its own: those of the functions inside it count for those. */
  lines: number;
}

interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

const functionTypes = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

export function functionsOf({ path, text }: SourceFile): FunctionSize[] {
  const { program } = parseSync(path, text);
  const sizes: FunctionSize[] = [];
  const lineAt = lineCounter(text);
  /** Answers with the lines that functions inside the node take. */
  function visit(node: Node, name: string): number {
    let inner = 0;
    for (const [key, value] of Object.entries(node)) {
      for (const child of childrenOf(value)) inner += visit(child, nameOf(child, node, key) ?? name);
    }
    if (!functionTypes.has(node.type)) return inner;
    const whole = lineAt(node.end) - lineAt(node.start) + 1;
    sizes.push({ name, path, line: lineAt(node.start), lines: whole - inner });
    return whole;
  }
  visit(program as unknown as Node, "");
  return sizes;
}

function childrenOf(value: unknown): Node[] {
  const items = Array.isArray(value) ? value : [value];
  return items.filter((item): item is Node => typeof item === "object" && item !== null && "type" in item);
}

function nameOf(child: Node, parent: Node, key: string): string | null {
  const holder = functionTypes.has(child.type)
    ? ((child.id as Node | null) ?? nameHolder(parent, key))
    : null;
  return holder && typeof holder.name === "string" ? holder.name : null;
}

function nameHolder(parent: Node, key: string): Node | null {
  if (parent.type === "VariableDeclarator" && key === "init") return parent.id as Node;
  if (parent.type === "Property" && key === "value") return parent.key as Node;
  return null;
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
