import type { JSX } from "hono/jsx/jsx-runtime";

/** A view as HTML. */
export function renderHtml(view: JSX.Element): string {
  // Views wait for nothing: what they show was read before.
  if (view instanceof Promise) throw new TypeError("A view is asynchronous.");
  return view.toString();
}
