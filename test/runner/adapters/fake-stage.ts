import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Adapter, Decoded, SessionSpec } from "../../../src/runner/adapters/adapter.ts";
import { makeTempFolder, type TempFolder } from "../../helpers/temp.ts";
import { recordedLines, recordingsFolder } from "./recordings.ts";
import { startTalk, type Talk } from "./talk.ts";

export const forms = ["oneTurn", "warm"] as const;
export type Form = (typeof forms)[number];

/** Where a CLI's fake is tried: a home for its processes, and what the real one was recorded to say. */
export interface FakeStage extends Disposable {
  executable: string;
  home: TempFolder;
  start(form: Form, spec?: Partial<SessionSpec>, options?: FakeOptions): Talk;
  /** A whole process of one turn, up to its end. */
  carry(prompt: string, spec?: Partial<SessionSpec>): Promise<Carried>;
  /** What the real CLI printed in this recording. */
  recorded(name: string): string[];
}

interface FakeOptions {
  env?: Record<string, string>;
  systemPrompt?: string;
}

interface Carried {
  exit: number | NodeJS.Signals;
  decoded: Decoded[];
  lines: string[];
  stderr: string;
}

export function openFakeStage(adapter: Adapter, version: string): FakeStage {
  const executable = join(import.meta.dir, `../../fixtures/bin/fake-${adapter.cli}`);
  const home = makeTempFolder();
  const start: FakeStage["start"] = (form, spec = {}, options = {}) =>
    startTalk({
      dialect: adapter.dialects[form],
      spec: { executable, sessionId: randomUUID(), ...spec },
      home: home.path,
      ...options,
    });
  return {
    executable,
    home,
    start,
    async carry(prompt, spec) {
      await using fake = start("oneTurn", spec);
      fake.send(prompt);
      const exit = await fake.exited;
      return { exit, decoded: fake.decoded, lines: fake.lines, stderr: await fake.stderr() };
    },
    recorded: (name) => recordedLines(join(recordingsFolder(adapter.cli, version), name)),
    [Symbol.dispose]: () => home[Symbol.dispose](),
  };
}
