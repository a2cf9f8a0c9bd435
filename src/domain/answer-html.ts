/**
 * HTML of settled answers, kept so that each is rendered once. A cache: it may be empty, and a write that
 * fails is no failure of anything else.
 */
export interface AnswerHtmlStore {
  /** What this version of the renderer made, by the key of the answer (its run, or its turn where no run is left). */
  findAnswerHtml(keys: readonly string[], rendererVersion: number): Map<string, string>;
  /** Not durable; resolves also when it could not be kept. */
  keepAnswerHtml(answer: {
    key: string;
    conversationId: string;
    rendererVersion: number;
    html: string;
  }): Promise<void>;
}
