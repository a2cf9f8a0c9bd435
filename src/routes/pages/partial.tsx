import { raw } from "hono/html";
import { byId } from "../../views/element-ids.ts";
import { renderHtml } from "../../views/render.ts";

type Swap = "beforeend" | "delete" | "innerHTML" | "innerMorph" | "outerMorph" | "textContent";

/** One change to a page: the HTML and where it goes. htmx ignores a change whose target isn't there. */
export function partial(id: string, swap: Swap, html: string): string {
  return renderHtml(
    <hx-partial hx-target={byId(id)} hx-swap={swap}>
      {raw(html)}
    </hx-partial>,
  );
}

/** An unnamed event of a stream, which hx-sse swaps in; its id is where a new connection goes on. */
export function streamFrame(id: string, html: string): string {
  const data = html.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `id: ${id}\n${data.join("")}\n`;
}
