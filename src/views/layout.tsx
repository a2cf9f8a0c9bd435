import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { elementIds } from "./element-ids.ts";
import { renderHtml } from "./render.ts";

/** What every page shows and needs, whatever it is about. */
export interface Frame {
  /** The address of a file of `public/`, with its hash. */
  assetUrl(name: string): string;
  version: string;
  containment: Containment;
}

export interface Containment {
  rung: string;
  /** Why it isn't the best one there is; null when it is. */
  degradedBecause: string | null;
  sandboxOff: boolean;
}

/**
 * htmx's own stylesheet isn't wanted, and its history neither: our pages are few and plain. What a reader
 * has unfolded stays so when its surroundings are morphed. A server that comes back is met soon, so streams
 * wait five seconds at most before they try again.
 */
const htmxConfig = JSON.stringify({
  includeIndicatorCSS: false,
  history: false,
  morphIgnore: ["data-htmx-powered", "open"],
  sse: { reconnectMaxDelay: 5_000 },
});

/**
 * Who isn't logged in any more is redirected to the login page; a request of htmx must not follow, or that
 * page would be put into this one.
 */
const bodyAttributes = { "hx-config:inherited": "redirect:manual" };

/** A whole document. Without `live` it is complete without any script. */
export function Page(props: {
  frame: Frame;
  title: string;
  /** False on pages for people who aren't logged in. */
  loggedIn?: boolean;
  live?: boolean;
  children: Child;
}) {
  const { frame, title, loggedIn = true, live = loggedIn, children } = props;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title === "" ? "Headway" : `${title} · Headway`}</title>
        <link rel="icon" href={frame.assetUrl("mark.svg")} type="image/svg+xml" />
        <link rel="stylesheet" href={frame.assetUrl("app.css")} />
        {live && <Scripts frame={frame} />}
      </head>
      <body {...bodyAttributes}>
        <a class="skip" href={`#${elementIds.main}`}>
          Skip to the content
        </a>
        <Header frame={frame} loggedIn={loggedIn} />
        {loggedIn && <ContainmentBanner containment={frame.containment} />}
        <main id={elementIds.main} tabindex={-1}>
          {children}
        </main>
        <footer class="page-foot">Headway {frame.version}</footer>
      </body>
    </html>
  );
}

function Scripts({ frame }: { frame: Frame }) {
  return (
    <>
      <meta name="htmx-config" content={htmxConfig} />
      <script src={frame.assetUrl("vendor/htmx.min.js")} defer></script>
      <script src={frame.assetUrl("vendor/hx-sse.min.js")} defer></script>
      <script src={frame.assetUrl("app.js")} defer></script>
    </>
  );
}

function Header({ frame, loggedIn }: { frame: Frame; loggedIn: boolean }) {
  return (
    <header class="page-head">
      <a class="brand" href="/">
        <img src={frame.assetUrl("mark.svg")} alt="" width="22" height="22" /> Headway
      </a>
      {loggedIn && (
        <nav aria-label="Main">
          <a href="/">Agents</a>
          <a href="/api/docs">API</a>
          <form method="post" action="/logout">
            <button class="quiet">Log out</button>
          </form>
        </nav>
      )}
    </header>
  );
}

export function ContainmentBanner({ containment }: { containment: Containment }) {
  const { sandboxOff, degradedBecause, rung } = containment;
  if (sandboxOff) {
    return (
      <p class="banner" role="status">
        <strong>The sandbox is off.</strong> Agents run with all that your user may do, and they can read
        Headway's own data. Remove <code>HEADWAY_SANDBOX=off</code> to turn it on.
      </p>
    );
  }
  if (degradedBecause === null) return null;
  return (
    <p class="banner" role="status">
      <strong>Containment is degraded</strong> (<code>{rung}</code>): {degradedBecause}
    </p>
  );
}

/** A whole document as HTML, doctype included. */
export function renderDocument(page: JSX.Element): string {
  return `<!doctype html>${renderHtml(page)}`;
}
