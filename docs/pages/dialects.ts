import { type AnyDialectCase, nameOfCase } from "../../test/contract/dialect-case.ts";
import { dialectCases } from "../../test/contract/dialect-cases.ts";
import { type Excusable, type Promised, promises } from "../../test/contract/promises.ts";
import { code, page, table } from "./markdown.ts";

const introduction = `Headway speaks to each CLI in two forms: with a process that stays between the turns of a
conversation, and with one process per turn, to which it falls back. Each form is a dialect, and each dialect
promises the same. The tests in \`test/contract/\` hold every dialect to every promise: with lines that the real
CLI printed (or, where that could not be recorded, would print), and with a process that speaks as it does. ✓ means
that the tests pass; a number leads to the reason why this dialect can't. \`acp\` is any agent that speaks ACP and
is configured by its owner; its lines are OpenCode's.`;

export function dialectsPage(): string {
  const reasons = new Map<string, number>();
  const rows = Object.entries(promises).map(([promised, says]) => [
    says,
    ...dialectCases.map((given) => cellOf(given, promised as Promised, reasons)),
  ]);
  const kinds = dialectCases.map(({ adapter, form, cliVersion }) => {
    const dialect = adapter.dialects[form];
    const prompt = dialect.promptEndsInput
      ? "once, and the input ends with it"
      : "as often as there are turns";
    return [code(adapter.cli), form === "warm" ? "warm" : "one turn", dialect.name, cliVersion, prompt];
  });
  return page("Dialects", "test/contract", [
    introduction,
    "## The dialects",
    table(["CLI", "form", "dialect", "version that was recorded", "prompts"], kinds),
    "## Promises",
    table(["", ...dialectCases.map(headOf)], rows),
    "## Why not",
    [...reasons].map(([reason, number]) => `${number}. ${reason}`).join("\n"),
  ]);
}

/** ✓, or the number of the reason why not. */
function cellOf({ cannot }: AnyDialectCase, promised: Promised, reasons: Map<string, number>): string {
  const reason = cannot[promised as Excusable];
  if (reason === undefined) return "✓";
  const number = reasons.get(reason) ?? reasons.size + 1;
  reasons.set(reason, number);
  return `(${number})`;
}

function headOf(given: AnyDialectCase): string {
  return nameOfCase(given).replaceAll(", ", "<br>");
}
