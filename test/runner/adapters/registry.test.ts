import { expect, test } from "bun:test";
import { carriedClis, cliNames } from "../../../src/domain/agent.ts";
import { findAdapter } from "../../../src/runner/adapters/registry.ts";

test("there is an adapter for every CLI that Headway carries, and for no other", () => {
  const found = cliNames.filter((cli) => findAdapter(cli) !== undefined);

  expect(found).toEqual([...carriedClis]);
  expect(found.map((cli) => findAdapter(cli)?.cli)).toEqual(found);
});
