const pollMs = 5;

/**
 * Polls until the condition gives something truthy, and resolves with that. Throws with `what` when the
 * deadline has passed, or with the condition's own error.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { deadlineMs?: number; what: string },
): Promise<Exclude<T, null | undefined | false | 0 | "">> {
  const deadlineMs = options.deadlineMs ?? 10_000;
  const endsAt = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, null | undefined | false | 0 | "">;
    if (performance.now() > endsAt) throw new Error(`Waited ${deadlineMs} ms in vain for: ${options.what}`);
    await Bun.sleep(pollMs);
  }
}
