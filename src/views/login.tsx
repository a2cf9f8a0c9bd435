import { Field } from "./forms.tsx";
import { type Frame, Page } from "./layout.tsx";

/** The token form; works without scripts. `next` is a path of ours that the caller has checked. */
export function LoginPage(props: { frame: Frame; next: string; problem: string | null }) {
  const { frame, next, problem } = props;
  return (
    <Page frame={frame} title="Log in" loggedIn={false}>
      <section class="card narrow">
        <h1>Log in</h1>
        <form method="post" action="/login" class="stack">
          <input type="hidden" name="next" value={next} />
          {/* Password managers file the token under a name. */}
          <input type="text" name="username" value="headway" autocomplete="username" hidden />
          <Field
            name="token"
            label="Token"
            problems={problem === null ? {} : { token: problem }}
            hint={
              <>
                It is in the file <code>token</code> of the data directory; the server also prints a login
                link each time it starts.
              </>
            }
            control={(attributes) => (
              <input
                {...attributes}
                type="password"
                autocomplete="current-password"
                autocapitalize="none"
                spellcheck={false}
                required
                autofocus
              />
            )}
          />
          <button class="primary">Log in</button>
        </form>
      </section>
    </Page>
  );
}
