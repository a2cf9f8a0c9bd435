import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir, readSources } from "../helpers/source-tree.ts";
import { type FaultGroup, faultGroups } from "./cases.ts";
import type { FaultCase, Proof } from "./fault-case.ts";
import { readTestTexts, type TestTexts } from "./test-titles.ts";

const cases = faultGroups.flatMap((group) => group.cases);
const proofs = cases.flatMap(({ id, provenBy }) => provenBy.map((proof) => ({ id, proof })));
const textsByFile = new Map<string, TestTexts | null>();

function textsOf({ file }: Proof): TestTexts | null {
  if (!textsByFile.has(file)) textsByFile.set(file, readTexts(join(projectDir, "test", file)));
  return textsByFile.get(file) ?? null;
}

function readTexts(path: string): TestTexts | null {
  return existsSync(path) ? readTestTexts(path, readFileSync(path, "utf8")) : null;
}

describe("the fault list", () => {
  test.each(faultGroups.map((group) => [group.letter, group] as const))(
    "has every case of group %s exactly once, in order",
    (letter, { size, cases: ofGroup }: FaultGroup) => {
      expect(ofGroup.map(({ id }) => id)).toEqual(
        Array.from({ length: size }, (_, at) => `${letter}${at + 1}`),
      );
    },
  );

  test("names tests that are there, by their exact titles", () => {
    const lost = proofs.filter(({ proof }) => !textsOf(proof)?.titles.includes(proof.title));

    expect(proofs.length).toBeGreaterThan(cases.length);
    expect(lost.map(({ id, proof }) => `${id}: ${proof.file}: ${proof.title}`)).toEqual([]);
  });

  test("names rows of their tables that are there", () => {
    const named = proofs.filter(({ proof }) => proof.row !== undefined);
    const lost = named.filter(
      ({ proof }) => !textsOf(proof)?.strings.some((text) => text.startsWith(proof.row ?? "")),
    );

    expect(named.length).toBeGreaterThan(20);
    expect(lost.map(({ id, proof }) => `${id}: ${proof.file}: ${proof.row}`)).toEqual([]);
  });

  test("promises no code that its tests don't name", () => {
    const unnamed = cases.flatMap((one) =>
      wordsOf(one).flatMap((word) => (isNamed(one, word) ? [] : [`${one.id}: ${word}`])),
    );

    expect(cases.flatMap(wordsOf).length).toBeGreaterThan(60);
    expect(unnamed).toEqual([]);
  });

  test("says of every case what comes of it and how that is proven, or why it is left out", () => {
    const silent = cases.filter(({ outcome, provenBy, leftOut }) =>
      leftOut === undefined ? outcome === "" || provenBy.length === 0 : leftOut === "" || provenBy.length > 0,
    );

    expect(silent.map(({ id }) => id)).toEqual([]);
  });

  test("knows every test that bears the name of a case", () => {
    const files = readSources("test").filter(({ path }) => /\.(test|long)\.tsx?$/.test(path));
    const bearers = files.flatMap(({ path, text }) =>
      readTestTexts(path, text).titles.flatMap((title) =>
        idsIn(title).map((id) => ({ id, file: path.replace(/^test\//, ""), title })),
      ),
    );
    const unknown = bearers.filter(
      ({ id, file, title }) =>
        !proofs.some(({ id: known, proof }) => known === id && proof.file === file && proof.title === title),
    );

    expect(bearers.length).toBeGreaterThan(30);
    expect(unknown.map(({ id, file, title }) => `${id}: ${file}: ${title}`)).toEqual([]);
  });
});

/** What stands in backticks in an outcome: states, codes, metrics. */
function wordsOf({ outcome }: FaultCase): string[] {
  return [...outcome.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
}

function isNamed({ provenBy }: FaultCase, word: string): boolean {
  return provenBy.some(({ file }) => {
    const path = join(projectDir, "test", file);
    return existsSync(path) && readFileSync(path, "utf8").includes(word);
  });
}

/** "P1, P2: an executable …" bears two. */
function idsIn(title: string): string[] {
  const [names = ""] = /^([PQSCVH]\d+(, )?)+(?=: | )/.exec(title) ?? [];
  return names.split(", ").filter(Boolean);
}
