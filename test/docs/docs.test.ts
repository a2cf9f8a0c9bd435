import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { generatePages } from "../../docs/generate.ts";
import { projectDir } from "../helpers/source-tree.ts";
import {
  anchorsOf,
  type Document,
  fencesOf,
  isThere,
  linksOf,
  readDocument,
  readDocuments,
} from "./documents.ts";

const documents = readDocuments();

describe("what is generated", () => {
  test("is what `npm run docs` would write now", async () => {
    const pages = await generatePages();

    const stale = [...pages].filter(([path, text]) => !isThere(path) || readDocument(path).text !== text);

    expect(pages.size).toBeGreaterThan(3);
    expect(stale.map(([path]) => path)).toEqual([]);
  });
});

describe("the layout in docs/architecture.md", () => {
  const named = layoutPaths(readDocument("docs/architecture.md"));

  test("names every folder of the source and every file at its top", () => {
    const missing = sourcePlaces().filter((place) => !named.includes(place));

    expect(sourcePlaces().length).toBeGreaterThan(15);
    expect(missing).toEqual([]);
  });

  test("names every folder of the project, or what lies in it", () => {
    const missing = topFolders().filter(
      (folder) => !named.some((place) => `${place}/`.startsWith(`${folder}/`)),
    );

    expect(missing).toEqual([]);
  });

  test("names nothing that isn't there", () => {
    expect(named.filter((place) => !isThere(place))).toEqual([]);
  });

  test("names no place twice", () => {
    expect(named.filter((place, at) => named.indexOf(place) !== at)).toEqual([]);
  });
});

describe("links", () => {
  test("between pages lead to a page that is there, and to a heading of it", () => {
    const broken = documents.flatMap((document) =>
      linksOf(document)
        .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(document, target))
        .map((target) => `${document.path} → ${target}`),
    );

    expect(documents.flatMap(linksOf).length).toBeGreaterThan(20);
    expect(broken).toEqual([]);
  });
});

describe("decisions", () => {
  const files = readdirSync(join(projectDir, "docs/adr"))
    .filter((name) => /^\d/.test(name))
    .sort();

  test("are numbered without a gap and listed", () => {
    const listed = linksOf(readDocument("docs/adr/README.md")).filter((target) => /^\d/.test(target));

    expect(files.map((name) => Number(name.slice(0, 4)))).toEqual(files.map((_name, at) => at + 1));
    expect(listed).toEqual(files);
  });

  test.each(files)("%s says why, what follows and what would change our mind", (name) => {
    const { text } = readDocument(`docs/adr/${name}`);

    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);

    expect(headings).toEqual(["Context", "Decision", "Consequences", "What would change our mind"]);
  });
});

/** Paths in the first column of the layout; folders without their last slash. */
function layoutPaths(document: Document): string[] {
  const layout = fencesOf(document).find((fence) => fence.mark === "layout");
  const columns = (layout?.text ?? "").split("\n").map((line) => line.split(/ {2,}/)[0] ?? "");
  return columns.flatMap((column) => column.split(" ")).flatMap((path) => path.replace(/\/$/, "") || []);
}

/** Every folder below `src` and every file directly in it. */
function sourcePlaces(): string[] {
  const entries = readdirSync(join(projectDir, "src"), { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  const files = entries.filter((entry) => entry.isFile() && entry.parentPath === join(projectDir, "src"));
  return [...folders, ...files].map(({ parentPath, name }) =>
    join(parentPath, name).slice(projectDir.length),
  );
}

/** Folders of the project; hidden ones and what git doesn't keep are left out. */
function topFolders(): string[] {
  const ignored = readFileSync(join(projectDir, ".gitignore"), "utf8").split("\n");
  return readdirSync(projectDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .filter((name) => !ignored.includes(`${name}/`));
}

function leadsSomewhere(from: Document, target: string): boolean {
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? from.path : normalize(join(dirname(from.path), file));
  if (!isThere(path)) return false;
  return anchor === undefined || anchorsOf(readDocument(path)).has(anchor);
}
