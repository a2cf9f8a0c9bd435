import { type Frame, Page } from "./layout.tsx";

/** A refusal or a failure, for people. */
export function ErrorPage(props: {
  frame: Frame;
  status: number;
  title: string;
  detail: string;
  loggedIn?: boolean;
}) {
  const { frame, status, title, detail, loggedIn = true } = props;
  return (
    <Page frame={frame} title={title} loggedIn={loggedIn} live={false}>
      <section class="card narrow">
        <p class="eyebrow">{status}</p>
        <h1>{title}</h1>
        <p>{detail}</p>
        <p>
          <a href="/">Back to the agents</a>
        </p>
      </section>
    </Page>
  );
}
