import { expect, test } from "bun:test";
import { adviseContainment, type ContainmentFacts } from "../../../src/runner/process/containment-advice.ts";
import { containmentFingerprint } from "../../../src/runner/process/containment-fingerprint.ts";

const facts: ContainmentFacts = {
  platform: "linux",
  sandbox: "auto",
  hasBwrap: true,
  unprivilegedClone: null,
  namespacesMax: 96_365,
  restrictedByAppArmor: null,
};

test.each<[string, Partial<ContainmentFacts>, string]>([
  ["a sandbox that is off", { sandbox: "off" }, "HEADWAY_SANDBOX=off"],
  ["another system", { platform: "darwin" }, "on Linux"],
  ["no bwrap", { hasBwrap: false }, "`apt-get install bubblewrap`"],
  [
    "a kernel that forbids it to users",
    { unprivilegedClone: 0 },
    "`sysctl -w kernel.unprivileged_userns_clone=1`",
  ],
  ["no namespaces at all", { namespacesMax: 0 }, "`sysctl -w user.max_user_namespaces=15000`"],
  ["AppArmor", { restrictedByAppArmor: 1 }, "`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`"],
  ["nothing that could be seen", {}, "in a container"],
])("what to do about %s is a sentence with the command", (_what, change, said) => {
  const advice = adviseContainment({ ...facts, ...change });

  expect(advice).toContain(said);
  expect(advice).toEndWith(".");
});

test("another boot, rung, user, version or program is another fingerprint", () => {
  const tools = { bwrap: "/bin/sh", unshare: null, setpriv: null, mount: null, nice: null };
  const machine = { bootId: "b", userId: 0, version: "1" };
  const of = (change: object, rung: "bwrap" | "unshare" = "bwrap", bwrap = "/bin/sh") =>
    containmentFingerprint({ rung, tools: { ...tools, bwrap } }, { ...machine, ...change });

  const others = [
    of({ bootId: "c" }),
    of({ userId: 1 }),
    of({ version: "2" }),
    of({}, "unshare"),
    of({}, "bwrap", "/bin/ls"),
    of({}, "bwrap", "/nonexistent"),
  ];

  expect(of({})).toBe(of({}));
  expect(new Set([of({}), ...others]).size).toBe(7);
});
