/**
 * `npm run screenshots`: writes a picture of every page in every state, light and dark, on a desktop and on
 * a telephone, and their index. Times and paths are made the same each time, so that pictures can be compared.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBrowser } from "../test/helpers/browser.ts";
import { pageStates, visitStates } from "../test/pages/states.ts";
import { paletted } from "./palette-png.ts";

const folder = join(import.meta.dir, "screenshots");
export const fileBytesMax = 60 * 1024;
export const folderBytesMax = 4 * 1024 * 1024;
/** The picture that the README shows is a copy of this one. */
const shownInReadme = { file: "chat.png", of: pictureName("chat-streaming", "desktop", "light") };

const screens = {
  desktop: { viewport: { width: 1280, height: 800 } },
  telephone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
} as const;
type Screen = keyof typeof screens;
const schemes = ["light", "dark"] as const;
const looks = Object.keys(screens).flatMap((screen) => schemes.map((scheme) => [screen, scheme] as const));

export function pictureName(state: string, screen: string, scheme: string): string {
  return `${state}-${screen}-${scheme}.png`;
}

async function takePictures(screen: Screen, isWanted: (name: string) => boolean): Promise<void> {
  const { viewport, ...device } = screens[screen];
  await using browser = await openBrowser({ ...device, reducedMotion: "reduce" });
  await visitStates(
    browser.context,
    [viewport],
    async ({ state, page }) => {
      for (const scheme of schemes) {
        await page.emulateMedia({ colorScheme: scheme });
        // A page that follows what goes on may have been changed since.
        await page.evaluate(makeComparable);
        const name = pictureName(state.name, screen, scheme);
        const picture = paletted(await page.screenshot());
        write(name, picture);
        if (name === shownInReadme.of) write(shownInReadme.file, picture);
      }
    },
    ({ name }) => isWanted(name),
  );
}

function write(name: string, picture: Uint8Array): void {
  if (picture.length > fileBytesMax) console.error(`${name} has ${picture.length} bytes, which is too much.`);
  writeFileSync(join(folder, name), picture);
}

/** Runs in the page: what differs from one time to the next is replaced by what could be. */
function makeComparable(): void {
  const replacements: [RegExp, string][] = [
    [/\S*\/test\/fixtures\/bin\/fake-claude/g, "/home/ada/.local/bin/claude"],
    [/\/\S*\/headway-test-\w+\/workspaces/g, "/home/ada/work"],
    [/\/\S*\/headway-test-\w+\/home/g, "/home/ada"],
    [/[\d.,]+ [GM]iB free on its disk/g, "120 GiB free on its disk"],
    [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "0b7e4a52-5d0c-4f0e-9f39-6c1d2f6f3a10"],
  ];
  const comparable = (text: string) =>
    replacements.reduce((made, [pattern, replacement]) => made.replace(pattern, replacement), text);
  for (const time of document.querySelectorAll("time")) {
    time.removeAttribute("data-since");
    time.textContent = time.classList.contains("elapsed") ? "0:42" : "Mar 9, 2026, 7:41 AM";
  }
  for (const took of document.querySelectorAll(".turn .took, .answer-foot span:first-child")) {
    if (/^[\d.]+ m?s$/.test(took.textContent.trim())) took.textContent = "1.2 s";
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    const made = comparable(text.nodeValue ?? "");
    if (made !== text.nodeValue) text.nodeValue = made;
  }
  for (const field of document.querySelectorAll("input")) {
    if (field.type === "text") field.value = comparable(field.value);
  }
}

/** The index: each state with its four pictures. */
export function screenshotsPage(): string {
  const sections = pageStates.map(({ name, shows }) => {
    const pictures = looks.map(([screen, scheme]) => {
      const alternative = `${shows}: ${screen}, ${scheme}`;
      return `![${alternative}](${pictureName(name, screen, scheme)})`;
    });
    return `## ${name}\n\n${shows}.\n\n${pictures.join("\n")}\n`;
  });
  return [
    "# Screenshots\n",
    "Every page in every state, as `npm run screenshots` writes them; edits are lost.\n",
    ...sections,
  ].join("\n");
}

/** The names of all files that belong into the folder. */
export function screenshotNames(): string[] {
  const pictures = pageStates.flatMap(({ name }) =>
    looks.map(([screen, scheme]) => pictureName(name, screen, scheme)),
  );
  return [...pictures, shownInReadme.file, "README.md"];
}

function removeStale(): void {
  const names = new Set(screenshotNames());
  for (const name of readdirSync(folder)) if (!names.has(name)) rmSync(join(folder, name));
}

if (import.meta.main) {
  mkdirSync(folder, { recursive: true });
  const wanted = process.argv[2] === undefined ? null : new RegExp(process.argv[2]);
  for (const screen of Object.keys(screens) as Screen[]) {
    await takePictures(screen, (name) => wanted === null || wanted.test(name));
  }
  removeStale();
  writeFileSync(join(folder, "README.md"), screenshotsPage());
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`${sizes.length} files, ${Math.round(bytes / 1024)} KiB`);
  if (bytes > folderBytesMax) console.error(`The folder has more than ${folderBytesMax / 1024} KiB.`);
}
