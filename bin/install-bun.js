/*
 * Run by `npm start` and `npm test` when `bun` doesn't answer. Bun comes from npm, whose package puts the
 * executable into place by an install script; npm leaves that out with `ignore-scripts`, and for packages
 * that the policy of the machine doesn't cover. This file runs in Node.
 */
import { existsSync } from "node:fs";

const installScript = new URL("../node_modules/bun/install.js", import.meta.url);

if (existsSync(installScript)) {
  process.stderr.write("npm has not run Bun's install script; running it now.\n");
  await import(installScript.href);
} else {
  process.stderr.write("Bun is not installed. Run `npm install` first.\n");
  process.exitCode = 1;
}
