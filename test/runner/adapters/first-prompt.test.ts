import { expect, test } from "bun:test";
import { firstPrompt } from "../../../src/runner/adapters/first-prompt.ts";

test("the owner's instructions stand before the first prompt, and both as they are", () => {
  const text = firstPrompt("Talk like a pirate.\n\nAlways.", "  hello\n");

  expect(text).toBe(
    [
      "Instructions from the owner of this agent, for this whole conversation:",
      "Talk like a pirate.\n\nAlways.",
      "End of the owner's instructions. The first message is:",
      "  hello\n",
    ].join("\n\n"),
  );
});

test.each([null, ""])("without instructions (%p) the first prompt is like any other", (systemPrompt) => {
  expect(firstPrompt(systemPrompt, "/about")).toBe("/about");
});
