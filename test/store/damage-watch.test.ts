import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Fact } from "../../src/domain/facts.ts";
import { createDamageWatch } from "../../src/store/damage-watch.ts";
import { errorOf, openTestStore, settings, temporaryDir } from "./fixture.ts";

const never = new AbortController().signal;

test("a sound database that is in use is found sound, and nothing is told", async () => {
  await using at = openTestStore();
  const looking = at.store.lookForDamage(never);
  await at.store.createAgent(settings());

  await looking;

  expect(at.store.health()).toEqual({ kind: "ok" });
  expect(at.facts.filter(({ type }) => type.startsWith("store."))).toEqual([]);
});

test("a look that is no longer wanted ends at once and says nothing", async () => {
  using dir = temporaryDir();
  const facts: Fact[] = [];
  const watch = createDamageWatch(join(dir.path, "none.db"), (fact) => void facts.push(fact));
  const stopping = new AbortController();

  const looking = watch.look(stopping.signal);
  stopping.abort();
  await looking;

  expect(watch.found()).toBeNull();
  expect(facts).toEqual([]);
});

test("a file that can't be looked at isn't called damaged", async () => {
  using dir = temporaryDir();
  const watch = createDamageWatch(join(dir.path, "none.db"), () => undefined);

  const failure = await errorOf(watch.look(never));

  expect(String(failure)).toContain("unable to open");
  expect(watch.found()).toBeNull();
});
