import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../helpers/source-tree.ts";

export interface Document {
  /** Relative to the project. */
  path: string;
  text: string;
}

/** The Markdown pages of the project: those at the top and all below `docs/`. */
export function readDocuments(): Document[] {
  const top = readdirSync(projectDir).filter((name) => name.endsWith(".md"));
  const below = readdirSync(join(projectDir, "docs"), { recursive: true, encoding: "utf8" });
  const pages = below.filter((name) => name.endsWith(".md")).map((name) => join("docs", name));
  return [...top, ...pages].sort().map(readDocument);
}

export function readDocument(path: string): Document {
  return { path, text: readFileSync(join(projectDir, path), "utf8") };
}

export function isThere(path: string): boolean {
  return existsSync(join(projectDir, path));
}

export interface Fence {
  language: string;
  text: string;
  /** The words of the comment right above it, `tested` say; "" without one. */
  mark: string;
}

const fencePattern = /(?:<!-- ([\w ]+) -->\n\n)?^```(\w*)\n([\s\S]*?)^```$/gm;

export function fencesOf({ text }: Document): Fence[] {
  return [...text.matchAll(fencePattern)].map(([, mark = "", language = "", content = ""]) => ({
    mark,
    language,
    text: content,
  }));
}

/** Targets of links, without those in code. */
export function linksOf({ text }: Document): string[] {
  const prose = text.replaceAll(fencePattern, "").replaceAll(/`[^`\n]*`/g, "`");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** The anchors that a page's headings have where it is shown. */
export function anchorsOf({ text }: Document): Set<string> {
  const headings = text.replaceAll(fencePattern, "").matchAll(/^#+ (.+)$/gm);
  return new Set([...headings].map(([, heading = ""]) => anchorOf(heading)));
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}
