import { escapeHtml } from "../escape-html.ts";
import { highlightedLanguage } from "./highlighted-languages.ts";

/** Longer code is shown as it is. */
export const highlightedCharsMax = 20_480;
/** Code that waits while other code is highlighted; what comes on top is shown as it is. */
const waitingMax = 500;

export interface HighlightRequest {
  id: number;
  text: string;
  language: string;
}

export interface HighlightAnswer {
  id: number;
  html: string;
}

/** The part of a `Worker` that is needed. */
export interface HighlightWorker {
  postMessage(request: HighlightRequest): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<HighlightAnswer>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

export interface HighlighterOptions {
  startWorker(): HighlightWorker;
  /** For the first piece of code after a start, and for each further one. */
  startDeadlineMs: number;
  deadlineMs: number;
  /** How long nothing is highlighted after a deadline has passed, so that many such texts cost one deadline. */
  restMs: number;
  /** The thread and its memory are given back when nothing was asked for so long. */
  idleMs: number;
}

export interface Highlighter {
  /**
   * Code as HTML, escaped, with `<span class="hljs-…">` and nothing else in it; null when it is to be shown
   * as it is: the language isn't known, the code is long, or the highlighter took too long or broke.
   */
  highlight(text: string, language: string): Promise<string | null>;
  stop(): void;
}

/** Highlights one piece of code at a time, in a thread that is started when it is needed. */
export function createHighlighter(options: HighlighterOptions): Highlighter {
  let worker: HighlightWorker | null = null;
  let isWarm = false;
  let isResting = false;
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  let waiting = 0;
  let id = 0;
  let last: Promise<unknown> = Promise.resolve();

  const stop = () => {
    clearTimeout(idleTimer);
    worker?.terminate();
    worker = null;
    isWarm = false;
  };
  const rest = () => {
    stop();
    isResting = true;
    setTimeout(() => (isResting = false), options.restMs);
  };

  async function ask(text: string, language: string): Promise<string | null> {
    if (isResting) return null;
    clearTimeout(idleTimer);
    worker ??= options.startWorker();
    const deadlineMs = isWarm ? options.deadlineMs : options.startDeadlineMs;
    const html = await answerOf(worker, { id: ++id, text, language }, deadlineMs);
    if (html === null) rest();
    else {
      isWarm = true;
      idleTimer = setTimeout(stop, options.idleMs);
    }
    return html === null ? null : onlyHighlighted(html, text);
  }

  return {
    async highlight(text, name) {
      const language = highlightedLanguage(name);
      if (language === null || text.length > highlightedCharsMax || waiting >= waitingMax) return null;
      waiting++;
      const leave = () => void waiting--;
      const turn = last.then(() => ask(text, language));
      last = turn.then(leave, leave);
      return turn;
    },
    stop,
  };
}

/** Null when it doesn't answer in time, or breaks. */
function answerOf(
  worker: HighlightWorker,
  request: HighlightRequest,
  deadlineMs: number,
): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), deadlineMs);
    const answer = (html: string | null) => {
      clearTimeout(timer);
      resolve(html);
    };
    worker.onmessage = ({ data }) => {
      if (data.id === request.id) answer(data.html);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      answer(null);
    };
    worker.postMessage(request);
  });
}

const spanPattern = /<span class="hljs-[\w-]+(?: \w+)*">|<\/span>/g;

/**
 * The second layer for code, blind to what highlighted it: the HTML if it is the escaped text with balanced
 * spans in it and nothing else, or null.
 */
export function onlyHighlighted(html: string, text: string): string | null {
  // A language within another one ("css" in HTML) is marked with its name, which no style needs.
  const named = html.replace(/<span class="language-[\w-]+">/g, '<span class="hljs-embedded">');
  let depth = 0;
  let isBalanced = true;
  const plain = named.replace(spanPattern, (tag) => {
    depth += tag === "</span>" ? -1 : 1;
    isBalanced &&= depth >= 0;
    return "";
  });
  const isText = plain.replaceAll("&#x27;", "&#39;") === escapeHtml(text);
  return isText && isBalanced && depth === 0 ? named : null;
}

/** The one that all pages share. */
export const highlighter = createHighlighter({
  // `ref` is Bun's: the thread alone doesn't keep a process alive.
  startWorker: () => new Worker(new URL("./highlight-worker.ts", import.meta.url), { ref: false }),
  startDeadlineMs: 5_000,
  deadlineMs: 1_000,
  restMs: 10_000,
  idleMs: 20_000,
});
