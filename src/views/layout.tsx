import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { elementIds } from "./element-ids.ts";
import { renderHtml } from "./render.ts";
import { countShown } from "./wording.ts";

/** What every page shows and needs, whatever it is about. */
export interface Frame {
  /** The address of a file of `public/`, with its hash. */
  assetUrl(name: string): string;
  version: string;
  containment: Containment;
  /** How many things need a person, told beside the link to where they are told. */
  attention: number;
}

export interface Containment {
  rung: string;
  /** Why it isn't the best one there is; null when it is. */
  degradedBecause: string | null;
  sandboxOff: boolean;
}

/**
 * htmx's own stylesheet isn't wanted, and its history neither: our pages are few and plain. What a reader
 * has unfolded stays so when its surroundings are morphed.
 */
const htmxConfig = {
  includeIndicatorCSS: false,
  history: false,
  morphIgnore: ["data-htmx-powered", "open"],
};

/** The main links, and the pages below each. */
const sections = {
  agents: ["/", "Agents"],
  conversations: ["/conversations", "Conversations"],
  health: ["/health", "Health"],
  api: ["/api/docs", "API"],
} as const;
export type Section = keyof typeof sections;

/** What a page follows, and what it shows of that already. See `LiveView` in `routes/pages/live/live-view.ts`. */
export interface Following {
  /** Kind and name: "agents/", "agent/anna", "run/run_…". */
  view: string;
  cursor: string;
}

/** A whole document. Without `live` it is complete without any script. */
export function Page(props: {
  frame: Frame;
  title: string;
  /** False on pages for people who aren't logged in. */
  loggedIn?: boolean;
  live?: boolean;
  /** True on pages of lists and tables, which have use for a wide screen. */
  wide?: boolean;
  /** True where htmx keeps the address true to what is shown; who comes back to one gets it from the server. */
  keepsAddress?: boolean;
  following?: Following | null;
  /** Which of the main links leads here. */
  section?: Section | undefined;
  children: Child;
}) {
  const { frame, title, loggedIn = true, live = loggedIn, wide = false, following, children } = props;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title === "" ? "Headway" : `${title} · Headway`}</title>
        <link
          rel="icon"
          href={frame.assetUrl("mark.svg")}
          type="image/svg+xml"
          data-done={frame.assetUrl("mark-done.svg")}
          data-failed={frame.assetUrl("mark-failed.svg")}
        />
        <link rel="stylesheet" href={frame.assetUrl("app.css")} />
        {live && <Scripts frame={frame} keepsAddress={props.keepsAddress ?? false} />}
      </head>
      <body
        class={wide ? "wide" : undefined}
        data-view={following?.view}
        data-cursor={following?.cursor}
        data-live={frame.assetUrl("live.js")}
      >
        <a class="skip" href={`#${elementIds.main}`}>
          Skip to the content
        </a>
        <Header frame={frame} loggedIn={loggedIn} section={props.section} />
        {loggedIn && <ContainmentBanner containment={frame.containment} />}
        <main id={elementIds.main} tabindex={-1}>
          {children}
        </main>
        <footer class="page-foot">Headway {frame.version}</footer>
      </body>
    </html>
  );
}

function Scripts({ frame, keepsAddress }: { frame: Frame; keepsAddress: boolean }) {
  const config = { ...htmxConfig, history: keepsAddress && "reload" };
  return (
    <>
      <meta name="htmx-config" content={JSON.stringify(config)} />
      <script src={frame.assetUrl("vendor/htmx.min.js")} defer></script>
      <script src={frame.assetUrl("app.js")} type="module"></script>
    </>
  );
}

function Header(props: { frame: Frame; loggedIn: boolean; section: Section | undefined }) {
  const { frame, loggedIn, section } = props;
  return (
    <header class="page-head">
      <a class="brand" href="/">
        <img src={frame.assetUrl("mark.svg")} alt="" width="22" height="22" /> Headway
      </a>
      {loggedIn && (
        <nav aria-label="Main">
          {Object.entries(sections).map(([name, [path, label]]) => (
            <a href={path} aria-current={name === section ? "true" : undefined}>
              {label}
              {name === "health" && <HealthMark attention={frame.attention} />}
            </a>
          ))}
          <form method="post" action="/logout">
            <button class="quiet">Log out</button>
          </form>
        </nav>
      )}
    </header>
  );
}

/** In words for who hears it, and with a sign for who sees no colours. */
export function HealthMark({ attention }: { attention: number }) {
  return (
    <span id={elementIds.healthMark} class="attention">
      {attention > 0 && (
        <>
          <span class="unseen">: </span>
          {countShown(attention)}
          <span aria-hidden="true"> !</span>
          <span class="unseen"> {attention === 1 ? "needs" : "need"} attention</span>
        </>
      )}
    </span>
  );
}

export function ContainmentBanner({ containment }: { containment: Containment }) {
  const { sandboxOff, degradedBecause, rung } = containment;
  if (sandboxOff) {
    return (
      <p class="banner" role="status">
        <strong>The sandbox is off.</strong> Agents run with all that your user may do, and they can read
        Headway's own data. Remove <code>HEADWAY_SANDBOX=off</code> to turn it on. <ContainmentLink />
      </p>
    );
  }
  if (degradedBecause === null) return null;
  return (
    <p class="banner" role="status">
      <strong>Containment is degraded</strong> (<code>{rung}</code>): {degradedBecause} <ContainmentLink />
    </p>
  );
}

function ContainmentLink() {
  return <a href={`/health#${elementIds.healthSection("containment")}`}>What holds here</a>;
}

/** A whole document as HTML, doctype included. */
export function renderDocument(page: JSX.Element): string {
  return `<!doctype html>${renderHtml(page)}`;
}
