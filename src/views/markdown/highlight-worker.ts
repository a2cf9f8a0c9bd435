import hljs from "highlight.js/lib/common";
import type { HighlightAnswer, HighlightRequest } from "./highlight.ts";

// A thread of its own: the grammars are regular expressions, and some take seconds for a few kilobytes of a
// hostile text (20,000 times the same letter as INI, or 20,000 characters of "if " as C#), which nothing but
// the end of the thread can stop.
self.onmessage = ({ data: { id, text, language } }: MessageEvent<HighlightRequest>) => {
  const { value } = hljs.highlight(text, { language, ignoreIllegals: true });
  postMessage({ id, html: value } satisfies HighlightAnswer);
};
