import { expect, test } from "bun:test";
import { atMs, openTestStore } from "./fixture.ts";

const hourMs = 3_600_000;
const login = { secretHash: "secret", tokenHash: "token", atMs, idleMsMax: 12 * hourMs };
const use = { secretHash: "secret", tokenHash: "token" };

test("a login is good until it was idle for too long, and each use begins the time anew", async () => {
  await using at = openTestStore();
  await at.store.createLogin(login);

  const first = at.store.useLogin({ ...use, atMs: atMs + 11 * hourMs });
  // The use is written behind the answer; the next write comes after it.
  await at.store.removeLogin("another");
  const second = at.store.useLogin({ ...use, atMs: atMs + 22 * hourMs });
  await at.store.removeLogin("another");
  const tooLate = at.store.useLogin({ ...use, atMs: atMs + 35 * hourMs });

  expect([first, second, tooLate]).toEqual([true, true, false]);
});

test("a login dies with its token, and with its own removal", async () => {
  await using at = openTestStore();
  await at.store.createLogin(login);

  const otherToken = at.store.useLogin({ ...use, tokenHash: "new", atMs });
  const stranger = at.store.useLogin({ ...use, secretHash: "guess", atMs });
  await at.store.removeLogin("secret");
  const removed = at.store.useLogin({ ...use, atMs });

  expect([otherToken, stranger, removed]).toEqual([false, false, false]);
});

test("a login survives a restart, and its use is written at most once a minute", async () => {
  await using at = openTestStore();
  await at.store.createLogin(login);
  at.facts.length = 0;

  for (let second = 0; second < 50; second += 1) at.store.useLogin({ ...use, atMs: atMs + second * 1_000 });
  await at.reopen();

  expect(at.facts.filter((fact) => fact.type === "commit.done")).toEqual([]);
  expect(at.store.useLogin({ ...use, atMs })).toBe(true);
});
