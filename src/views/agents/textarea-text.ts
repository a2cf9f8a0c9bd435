/** A browser drops the first line end inside a `textarea`, so a text that begins with one needs another. */
export function textareaText(text: string): string {
  return text.startsWith("\n") ? `\n${text}` : text;
}
