import type { Context } from "hono";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { renderDocument } from "../views/layout.tsx";

/** Below, packing saves nothing; above, it would hold others up for more than a few milliseconds. */
const packedCharsMin = 1_000;
const packedCharsMax = 262_144;

/** A whole page as the answer, packed for those who can unpack it. */
export function sendDocument(c: Context, page: JSX.Element, status: ContentfulStatusCode = 200): Response {
  const html = renderDocument(page);
  c.header("Vary", "Accept-Encoding");
  const isPacked =
    html.length >= packedCharsMin &&
    html.length <= packedCharsMax &&
    takesGzip(c.req.header("accept-encoding"));
  if (!isPacked) return c.html(html, status);
  c.header("Content-Encoding", "gzip");
  c.header("Content-Type", "text/html; charset=UTF-8");
  return c.body(new Blob([html]).stream().pipeThrough(new CompressionStream("gzip")), status);
}

/** "gzip" among what is accepted, and not with the weight 0. */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  return /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i.test(acceptEncoding ?? "");
}
