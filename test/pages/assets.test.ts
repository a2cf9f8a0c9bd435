import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..");

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("what browsers load", () => {
  test.each([["htmx.min.js", "dist/htmx.min.js"]])(
    "vendored %s is the package's file, byte by byte",
    (name, original) => {
      const vendored = readFileSync(join(root, "public/vendor", name));

      expect(vendored.equals(readFileSync(join(root, "node_modules/htmx.org", original)))).toBe(true);
    },
  );

  test("the vendored version is the one that package.json names", () => {
    const packageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

    const table = readFileSync(join(root, "public/vendor/README.md"), "utf8");

    expect(table.split(packageJson.dependencies["htmx.org"])).toHaveLength(2);
  });

  test("our own scripts stay within 8 KB", () => {
    const own = readdirSync(join(root, "public")).filter((name) => name.endsWith(".js"));

    const bytes = own.reduce((sum, name) => sum + statSync(join(root, "public", name)).size, 0);

    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(8_192);
  });

  test("nothing is fetched from elsewhere", () => {
    const own = filesBelow("public").filter(
      (path) => /\.(?:css|js|svg)$/.test(path) && !path.includes("vendor"),
    );

    const addresses = own.flatMap(
      (path) => readFileSync(path, "utf8").match(/(?:https?:)?\/\/[a-z][^\s"')]+/g) ?? [],
    );

    expect(addresses.filter((address) => !address.startsWith("http://www.w3.org/2000/svg"))).toEqual([]);
  });
});

describe("templates", () => {
  const templates = [...filesBelow("src/views"), ...filesBelow("src/routes/pages")];
  const withMarkup = templates.filter((path) => path.endsWith(".tsx"));

  test.each([
    ["inline handlers of htmx", /hx-on\b/],
    ["values that are evaluated", /["'`{]js:/],
    ["trigger filters", /hx-trigger[^\n]*\[/],
    ["inline handlers", /\son[a-z]+=/],
    ["inline styles", /\sstyle=/],
    ["inline scripts", /<script(?![^>]*src=)/],
  ])("have no %s, which the content policy forbids", (_, pattern) => {
    const offenders = withMarkup.filter((path) => pattern.test(readFileSync(path, "utf8")));

    expect(offenders).toEqual([]);
  });

  test("put raw HTML only where it was made by us", () => {
    const users = templates.filter((path) => /\braw\(/.test(readFileSync(path, "utf8")));

    expect(users.map((path) => path.slice(root.length + 1)).sort()).toEqual([
      "src/routes/pages/chat/agent-pages.tsx",
      "src/routes/pages/chat/answer-html.tsx",
      "src/routes/pages/chat/conversation-html.tsx",
      "src/routes/pages/chat/live-answer.tsx",
      "src/routes/pages/conversations/conversation-reading.tsx",
      "src/routes/pages/live/partial.tsx",
      "src/views/agents/agents-page.tsx",
      "src/views/chat/answer.tsx",
    ]);
  });
});
