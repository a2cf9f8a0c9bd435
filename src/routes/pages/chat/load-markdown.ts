/** The renderer and what sanitises for it are loaded with the first page that needs them, not at start. */
export async function loadMarkdown() {
  const [{ renderMarkdown }, { createStreamingMarkdown }] = await Promise.all([
    import("../../../views/markdown/markdown.ts"),
    import("../../../views/markdown/streaming-markdown.ts"),
  ]);
  return { renderMarkdown, createStreamingMarkdown };
}

export type Markdown = Awaited<ReturnType<typeof loadMarkdown>>;
