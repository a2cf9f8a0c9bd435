import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { functionsOf, importsOf, projectDir, readSources, type SourceFile } from "./helpers/source-tree.ts";

const sources = readSources("src");
const tests = readSources("test");

/** Which layer may import which: values, and types besides. The table of docs/architecture.md. */
const layers: Record<string, { values: string[]; types: string[]; packages: RegExp }> = {
  domain: { values: [], types: [], packages: /^zod$/ },
  store: { values: ["domain"], types: [], packages: /^(bun:sqlite|node:|zod)/ },
  runner: { values: ["domain"], types: [], packages: /^(node:|zod$|bun$)/ },
  integrity: { values: ["domain"], types: ["store", "runner"], packages: /^bun:sqlite$/ },
  telemetry: { values: ["domain"], types: [], packages: /^prom-client$/ },
  jobs: { values: ["domain"], types: ["store", "runner", "integrity"], packages: /^$/ },
  views: {
    values: ["domain"],
    types: ["runner"],
    packages: /^(hono\/jsx|hono\/html|marked|sanitize-html|highlight\.js|diff)/,
  },
  routes: {
    values: ["domain", "views"],
    types: ["runner", "store", "integrity", "telemetry"],
    packages: /^(hono|@hono\/|zod$)/,
  },
};

/** The composition root and what stands beside it at the top. */
const rootFiles = [
  "acp-agents.ts",
  "app.ts",
  "assets.ts",
  "cli.ts",
  "compose-containment.ts",
  "compose-health.ts",
  "compose-runner.ts",
  "compose-serving.ts",
  "config.ts",
  "half-closed.ts",
  "nonces.ts",
  "server.ts",
  "token-file.ts",
];

describe("layers", () => {
  test("each file lies in a layer or is a named file of the composition root", () => {
    const strays = sources.filter(({ path }) => {
      const [, first = "", second] = path.split("/");
      return second === undefined ? !rootFiles.includes(first) : !(first in layers);
    });

    expect(strays.map(({ path }) => path)).toEqual([]);
  });

  test("imports go in the allowed directions only", () => {
    const wrong = sources.flatMap((source) => wrongImports(source));

    expect(wrong).toEqual([]);
  });

  test("domain, views and routes use web standards only", () => {
    const edge = sources.filter(({ path }) => /^src\/(domain|views|routes)\//.test(path));

    const machine = edge.filter(({ text }) =>
      /from ["'](node:|bun)|\bBun\.|\bprocess\.(env|pid|exit|stdout|stderr|platform|cwd|nextTick|getuid|on|execPath)\b/.test(
        text,
      ),
    );

    expect(edge.length).toBeGreaterThan(20);
    expect(machine.map(({ path }) => path)).toEqual([]);
  });
});

describe("things that have one place", () => {
  const places: [what: string, pattern: RegExp, where: RegExp][] = [
    ["the wall clock", /\bDate\.now\(/, /^src\/domain\/clock\.ts$/],
    ["randomness", /\bMath\.random\(/, /^$/],
    ["the environment", /\bprocess\.env\b/, /^src\/(server|cli)\.ts$/],
    ["the console", /\bconsole\.\w+\(/, /^$/],
    ["SQLite", /from "bun:sqlite"/, /^src\/(store|integrity)\//],
    ["starting processes", /\bBun\.spawn/, /^src\/runner\/process\//],
    ["prom-client", /from "prom-client"/, /^src\/telemetry\//],
    ["a shell", /shell: true|Bun\.\$|\bexecSync\b/, /^$/],
  ];

  test.each(places)("%s", (_what, pattern, where) => {
    const found = sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

    expect(found.filter((path) => !where.test(path))).toEqual([]);
  });
});

describe("size", () => {
  const functions = sources.flatMap(functionsOf);

  test("no file has more than 400 lines", () => {
    const long = [...sources, ...tests].filter(({ text }) => text.split("\n").length > 401);

    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test("no function has more than 70 lines of its own", () => {
    const long = functions.filter(({ lines }) => lines > 70);

    expect(long).toEqual([]);
  });

  test("the median function has fewer than 10 lines", () => {
    const lengths = functions.map(({ lines }) => lines).sort((a, b) => a - b);

    expect(lengths.length).toBeGreaterThan(500);
    expect(lengths[lengths.length >> 1]!).toBeLessThan(10);
  });
});

describe("habits", () => {
  test("there are no default exports", () => {
    const found = sources.filter(({ text }) => /^export default/m.test(text));

    expect(found.map(({ path }) => path)).toEqual([]);
  });

  test("there are no folders or files with names that say nothing", () => {
    const found = sources.filter(({ path }) =>
      /\/(utils?|lib|common|helpers?|types|misc)(\.ts|\/)/.test(path),
    );

    expect(found.map(({ path }) => path)).toEqual([]);
  });

  test("no error is swallowed without a word", () => {
    const found = [...sources, ...tests].filter(({ text }) => /catch\s*(\(\w+\))?\s*\{\s*\}/.test(text));

    expect(found.map(({ path }) => path)).toEqual([]);
  });

  test("nothing is left to do, and no test is skipped or alone", () => {
    const marks = /\bTO[D]O\b|\bFIX[M]E\b|\b(test|it|describe)\.(todo|only)\b/;

    expect([...sources, ...tests].filter(({ text }) => marks.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test("tests don't wait for a fixed time", () => {
    const waits = /(setTimeout\([^)]*,\s*[0-9_]{2,}\)|\bsleep\([0-9_]{2,}\))/;
    const suites = tests.filter(({ path }) => path.endsWith(".test.ts"));

    expect(suites.filter(({ text }) => waits.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe("migrations", () => {
  const files = readdirSync(join(projectDir, "migrations"))
    .filter((name) => name.endsWith(".sql"))
    .sort();

  test("are numbered without a gap", () => {
    const numbers = files.map((name) => Number(name.slice(0, 4)));

    expect(numbers).toEqual(numbers.map((_number, at) => at + 1));
  });

  test("say why in their first line", () => {
    const first = files.map(
      (name) => readFileSync(join(projectDir, "migrations", name), "utf8").split("\n")[0],
    );

    for (const line of first) expect(line).toMatch(/^-- \S.{20,}/);
  });
});

function wrongImports(source: SourceFile): string[] {
  const [, layerName = ""] = source.path.split("/");
  const layer = layers[layerName];
  if (!layer || source.path.split("/").length < 3) return [];
  return importsOf(source)
    .filter(({ target, isTypeOnly }) => !isAllowed(layerName, layer, target, isTypeOnly))
    .map(({ target, isTypeOnly }) => `${source.path} imports ${isTypeOnly ? "types of " : ""}${target}`);
}

function isAllowed(
  layerName: string,
  layer: NonNullable<(typeof layers)[string]>,
  target: string,
  isTypeOnly: boolean,
): boolean {
  if (!target.startsWith("src/")) return layer.packages.test(target) || target.startsWith("package.json");
  const targetLayer = target.split("/")[1] ?? "";
  if (targetLayer === layerName || layer.values.includes(targetLayer)) return true;
  return isTypeOnly && layer.types.includes(targetLayer);
}
