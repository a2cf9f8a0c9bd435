import { settings } from "../../src/config.ts";
import { code, page, table } from "./markdown.ts";

type Setting = (typeof settings)[keyof typeof settings];

const introduction = `Headway is configured by environment variables, read once at the start. A value that isn't allowed ends
the start with exit code 64 and one line that names the variable, the value and what is allowed. An
empty variable counts as unset. \`bun\` also reads a file \`.env\` in the folder in which it is started;
[\`.env.example\`](../.env.example) lists every variable with its default.`;

export function configurationPage(): string {
  const rows = Object.values(settings).map((setting) => [
    code(setting.variable),
    shownDefault(setting),
    setting.allowed,
    setting.meaning,
  ]);
  const heads = ["variable", "default", "allowed", "meaning"];
  return page("Configuration", "src/config.ts", [introduction, table(heads, rows)]);
}

/** Every variable commented out, so that a copy of the file changes nothing until somebody edits it. */
export function environmentExample(): string {
  const entries = Object.values(settings).map((setting) =>
    [
      `# ${setting.meaning.replaceAll("`", "")}`,
      `# Allowed: ${setting.allowed}.${defaultNote(setting)}`,
      `# ${setting.variable}=${fixedDefault(setting) ?? ""}`,
    ].join("\n"),
  );
  const head =
    "# Generated from src/config.ts by `npm run docs`. Copy it to .env and take away the # where you want.";
  return `${[head, ...entries].join("\n\n")}\n`;
}

function shownDefault(setting: Setting): string {
  return "defaultText" in setting ? setting.defaultText : code(fixedDefault(setting) ?? "");
}

function defaultNote(setting: Setting): string {
  const isFixed = !("defaultText" in setting) || setting.defaultText === "–";
  return isFixed ? "" : ` Without it: ${setting.defaultText.replaceAll("`", "")}.`;
}

/** Null where the default isn't a value that could be written down. */
function fixedDefault(setting: Setting): string | null {
  return "defaultText" in setting ? null : String(setting.schema.parse(undefined));
}
