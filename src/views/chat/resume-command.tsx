import type { Cli } from "../../domain/agent.ts";
import type { ConversationHead } from "../../domain/conversation.ts";
import { byId, elementIds } from "../element-ids.ts";
import { cliNamesShown } from "../wording.ts";

/** What a session is resumed with in a terminal, by CLI; null where Headway doesn't know it. */
const resumeWords: Record<Cli, readonly string[] | null> = {
  claude: ["claude", "--resume"],
  droid: ["droid", "--resume"],
  gemini: ["gemini", "--resume"],
  demo: null,
  acp: null,
};

/** The CLI's session of a conversation, and the folder in which the CLI looks for it. */
export interface SessionPlace extends Pick<ConversationHead, "cli" | "cliSessionId"> {
  cwd: string;
  /** Null for other CLIs, and where it isn't known which ACP agent it was. */
  acpAgent: string | null;
}

/**
 * A line for a POSIX shell that goes on with the conversation. Null where no such line is known, where the
 * CLI has confirmed no session, and where the folder's name holds characters that a terminal may act upon
 * when they are pasted.
 */
export function resumeCommandOf({ cli, cliSessionId, cwd }: Omit<SessionPlace, "acpAgent">): string | null {
  const words = resumeWords[cli];
  if (words === null || cliSessionId === null || cliSessionId.startsWith("-")) return null;
  if (hasControls(cwd) || hasControls(cliSessionId)) return null;
  return `cd ${shellQuoted(cwd)} && ${[...words, shellQuoted(cliSessionId)].join(" ")}`;
}

/** Control characters, and those that turn the direction of the text or can't be seen. */
function hasControls(text: string): boolean {
  return /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text);
}

/** One word of a POSIX shell. */
export function shellQuoted(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Each ACP agent has a way of its own to resume a session, if any. */
function OwnWay({ who, cliSessionId }: { who: string; cliSessionId: string | null }) {
  return (
    <p class="hint">
      Headway doesn't know how {who} resumes a session in a terminal; its documentation may tell.
      {cliSessionId !== null && !hasControls(cliSessionId) && (
        <>
          {" "}
          The session is <code>{cliSessionId}</code>.
        </>
      )}
    </p>
  );
}

/** How to go on in a terminal; `app.js` copies what `data-copy` points at. Nothing for the demo agent. */
export function ResumeCommand(props: SessionPlace) {
  if (props.cli === "demo") return null;
  const command = resumeCommandOf(props);
  return (
    <div class="resume">
      <p class="label">Continue in a terminal</p>
      {command === null ? <NoCommand {...props} /> : <Command command={command} />}
    </div>
  );
}

function Command({ command }: { command: string }) {
  return (
    <>
      <p class="command">
        <code id={elementIds.resumeCommand}>{command}</code>
        <button type="button" class="copy" data-copy={byId(elementIds.resumeCommand)}>
          Copy
        </button>
      </p>
      <p class="hint">What is said there isn't shown here.</p>
    </>
  );
}

function NoCommand({ cli, cliSessionId, acpAgent }: SessionPlace) {
  const name = cliNamesShown[cli];
  if (resumeWords[cli] === null)
    return <OwnWay who={acpAgent ?? `the ${name}`} cliSessionId={cliSessionId} />;
  if (cliSessionId === null) return <p class="hint">{name} has confirmed no session of it yet.</p>;
  return <p class="hint">The folder's name holds characters that can't be pasted safely.</p>;
}
