import { raw } from "hono/html";
import { byId } from "../../../views/element-ids.ts";
import { renderHtml } from "../../../views/render.ts";

type Swap =
  | "beforeend"
  | "delete"
  | "innerHTML"
  | "innerMorph"
  | "outerHTML"
  | "outerMorph"
  | "textContent"
  | "afterbegin";

/** One change to a page: the HTML and where it goes. htmx ignores a change whose target isn't there. */
export function partial(id: string, swap: Swap, html: string): string {
  return renderHtml(
    <hx-partial hx-target={byId(id)} hx-swap={swap}>
      {raw(html)}
    </hx-partial>,
  );
}
