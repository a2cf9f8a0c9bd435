import { expect, test } from "bun:test";
import type { PermissionMode } from "../../../src/domain/agent.ts";
import { anomalyCodes, eventsOf, inputsOf, verdicts } from "../../contract/decoded.ts";
import {
  asks,
  completed,
  delta,
  feed,
  prompted,
  runRpc,
  sessionId,
  tell,
  text,
  toolUse,
  whole,
} from "./droid-lines.ts";

/* What a warm Droid asks for, and what it is answered. */

function answers(inputs: readonly string[]): unknown[] {
  return inputs.map((input) => {
    const { type, id, result, error } = JSON.parse(input) as Record<string, unknown>;
    return { type, id, ...(error === undefined ? { result } : { error }) };
  });
}

test.each([
  ["read", "cancel", 1],
  ["edit", "cancel", 1],
  ["full", "proceed_once", 0],
] as const)("in mode %s a question is answered %s", (permissionMode, selectedOption, denials) => {
  const decoded = feed(runRpc({ permissionMode }), asks("ask1"));

  expect(answers(inputsOf(decoded))).toEqual([{ type: "response", id: "ask1", result: { selectedOption } }]);
  expect(eventsOf(decoded, "notice")).toHaveLength(denials);
});

test.each([
  ["a guard of the user's against leaking secrets", "droid_shield_violation"],
  ["a sandbox's border", "sandbox_violation"],
])("no mode lifts %s", (_what, confirmationType) => {
  const toolUses = [{ toolUse: toolUse("c1"), confirmationType }];

  const decoded = feed(runRpc({ permissionMode: "full" }), asks("ask1", { toolUses }));

  expect(answers(inputsOf(decoded))).toMatchObject([{ result: { selectedOption: "cancel" } }]);
  expect(eventsOf(decoded, "notice")).toMatchObject([
    { message: expect.stringContaining("A rule in the CLI's own settings") as string },
  ]);
});

test("what can't be allowed only this once is denied, and so is a question that can't be read", () => {
  const dialogue = runRpc({ permissionMode: "full" });
  const options = [{ value: "proceed_always" }, { value: "cancel" }];

  const decoded = feed(dialogue, asks("ask1", { options }), { ...asks("ask2"), params: "?" });

  expect(answers(inputsOf(decoded))).toMatchObject([
    { id: "ask1", result: { selectedOption: "cancel" } },
    { id: "ask2", result: { selectedOption: "cancel" } },
  ]);
});

test("a denial tells of each tool that was asked for", () => {
  const toolUses = ["Execute", "Create"].map((name) => ({ toolUse: { ...toolUse(name), name } }));

  const decoded = feed(runRpc(), asks("ask1", { toolUses }));

  const messages = eventsOf(decoded, "notice").map(({ message }) => message.split(" ")[0]);
  expect(messages).toEqual(["Execute", "Create"]);
});

/** A turn with a denial, its end, and what comes between. */
function afterDenial(reason: string, permissionMode: PermissionMode, ...between: object[]) {
  return verdicts(feed(runRpc({ permissionMode }), asks("ask1"), ...between, completed(reason)));
}

test.each(["completed", "permission_rejected"])(
  "a turn that ends with a denial has failed, though Droid calls it %s",
  (reason) => {
    expect(afterDenial(reason, "edit")).toEqual([
      {
        kind: "failed",
        code: "cli_error",
        message: 'Droid ended the turn because it may not use Execute in permission mode "edit".',
      },
    ]);
  },
);

test("a turn that goes on after a denial succeeds, and one that is interrupted is aborted", () => {
  expect(afterDenial("completed", "edit", delta("Then not."))).toMatchObject([{ kind: "succeeded" }]);
  expect(afterDenial("completed", "edit", whole("assistant", [text("Then not.")]))).toMatchObject([
    { kind: "succeeded" },
  ]);
  expect(afterDenial("cancelled", "edit")).toEqual([{ kind: "aborted" }]);
  expect(afterDenial("completed", "full")).toMatchObject([{ kind: "succeeded" }]);
});

test("between turns nothing is allowed, in no mode", () => {
  const dialogue = runRpc({ permissionMode: "full" });
  feed(dialogue, completed());

  const decoded = feed(dialogue, asks("ask1"));

  expect(answers(inputsOf(decoded))).toMatchObject([{ result: { selectedOption: "cancel" } }]);
  expect([anomalyCodes(decoded), eventsOf(decoded, "notice")]).toEqual([["output_after_result"], []]);
});

test("a question to its user is cancelled and told, and what we don't offer is refused", () => {
  const question = { type: "request", id: "ask1", method: "droid.ask_user", params: { questions: [] } };
  const dialogue = runRpc();

  const asked = feed(dialogue, question);
  const refused = feed(dialogue, { ...question, id: "ask2", method: "droid.novelty" });
  feed(dialogue, completed());
  const late = feed(dialogue, { ...question, id: "ask3" });

  expect(answers(inputsOf(asked))).toEqual([
    { type: "response", id: "ask1", result: { cancelled: true, answers: [] } },
  ]);
  expect(eventsOf(asked, "notice")).toMatchObject([{ code: "cli_warning" }]);
  expect(answers(inputsOf(refused))).toMatchObject([{ id: "ask2", error: { code: -32601 } }]);
  expect(anomalyCodes(refused)).toEqual(["unknown_event"]);
  expect([inputsOf(late).length, eventsOf(late, "notice").length]).toEqual([1, 0]);
});

test("a denial belongs to its turn alone", () => {
  const dialogue = runRpc();
  feed(dialogue, asks("ask1"), completed());
  dialogue.begin("and then?");

  const decoded = feed(dialogue, prompted(2), tell("error", {}, sessionId), completed("completed", "t2"));

  expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
});
