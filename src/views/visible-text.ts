/**
 * A text in which nothing acts on what stands around it: terminal escapes and other control characters are
 * shown as their pictures ("␛"), and characters that reorder what is read by their number ("⟨U+202E⟩").
 * Tabs and line ends stay.
 */
export function visibleText(text: string): string {
  return text.replace(/(?![\t\n])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, picture);
}

function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "␡" : `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
