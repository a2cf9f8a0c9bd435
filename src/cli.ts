#!/usr/bin/env bun
import packageJson from "../package.json" with { type: "json" };
import { serve } from "./server.ts";

const usage = `headway ${packageJson.version}

  headway serve      start the server
  headway --version  print the version
  headway --help     print this

Settings are environment variables; docs/configuration.md lists them.
`;

/** Exit codes: 0 good, 1 found trouble, 2 wrong use. */
async function main(args: readonly string[]): Promise<void> {
  const [command = "", ...rest] = args;
  if (command === "serve" && rest.length === 0) return serve(process.env);
  if (command === "--version" || command === "--help") {
    process.stdout.write(command === "--help" ? usage : `${packageJson.version}\n`);
    return;
  }
  process.stderr.write(usage);
  process.exit(2);
}

await main(process.argv.slice(2));
