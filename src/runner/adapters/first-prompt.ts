/**
 * The prompt that opens a session of a CLI that has no place for a system prompt: what the owner told the
 * agent stands before it, marked as ours, and the CLI's own memory keeps it for the turns that follow. A
 * resumed session has heard it already, and is sent its prompts as they are.
 */
export function firstPrompt(systemPrompt: string | null, prompt: string): string {
  if (systemPrompt === null || systemPrompt === "") return prompt;
  return [
    "Instructions from the owner of this agent, for this whole conversation:",
    systemPrompt,
    "End of the owner's instructions. The first message is:",
    prompt,
  ].join("\n\n");
}
