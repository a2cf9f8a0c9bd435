/**
 * How the CLIs print the HTTP status of the model's API within their words: Claude Code "API Error: 500 …" and
 * "Request rejected (429)", Gemini CLI the API's own JSON ("code":401), Droid "429 {…}" or "402 Insufficient credits" (recordings error_*, credit_used_up).
 */
const statusPatterns = [
  /\bAPI Error: (?:Repeated )?([45]\d\d)\b/,
  /\bRequest rejected \(([45]\d\d)\)/,
  /"code":\s*([45]\d\d)\b/,
  /^([45]\d\d) [{A-Z]/,
];

/** The HTTP status that a CLI's words tell; null when they tell none. */
export function findHttpStatus(text: string): number | null {
  for (const pattern of statusPatterns) {
    const status = pattern.exec(text)?.[1];
    if (status !== undefined) return Number(status);
  }
  return null;
}
