import { expect, test } from "bun:test";
import { carriedClis } from "../../src/domain/agent.ts";
import { nameOfCase } from "./dialect-case.ts";
import { dialectCases } from "./dialect-cases.ts";

test("every CLI that Headway carries is held to the contract in both its forms", () => {
  const held = dialectCases.map(({ adapter, form }) => `${adapter.cli} ${form}`);

  const missing = carriedClis
    .flatMap((cli) => [`${cli} warm`, `${cli} oneTurn`])
    .filter((wanted) => !held.includes(wanted));

  expect(missing).toEqual([]);
});

test("no dialect is held to the contract twice", () => {
  const names = dialectCases.map(nameOfCase);

  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

test("every dialect's test calls the contract", async () => {
  const suites = await Array.fromAsync(new Bun.Glob("*-contract.test.ts").scan({ cwd: import.meta.dir }));
  const texts = await Promise.all(suites.map((name) => Bun.file(`${import.meta.dir}/${name}`).text()));
  const calls = texts.join("\n").match(/^dialectContract\(\w+\);$/gm) ?? [];

  expect(new Set(calls).size).toBe(dialectCases.length);
});
