import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Adapter, SessionSpec } from "../../../src/runner/adapters/adapter.ts";
import { type FakeModelApi, startFakeModelApi } from "../../helpers/fake-model-api.ts";
import { makeTempFolder, writeFiles } from "../../helpers/temp.ts";
import { setupOf } from "../../real-clis/cli-setup.ts";
import { type RealCli, realCliPath } from "../../real-clis/install.ts";
import { startTalk, type Talk } from "./talk.ts";

/** An empty home, an API of ours, and a real CLI spoken to in one of its forms. */
export interface RealStage extends AsyncDisposable {
  api: FakeModelApi;
  cwd: string;
  start(form: "warm" | "oneTurn", spec?: Partial<SessionSpec>, systemPrompt?: string): Talk;
}

export function openRealStage(cli: RealCli, adapter: Adapter): RealStage {
  const home = makeTempFolder();
  const cwd = join(home.path, "project");
  mkdirSync(cwd);
  const api = startFakeModelApi();
  const executable = realCliPath(cli) ?? "";
  const { env, homeFiles, agent } = setupOf(cli, api.url, executable);
  writeFiles(home.path, homeFiles);
  return {
    api,
    cwd,
    start: (form, spec = {}, systemPrompt) =>
      startTalk({
        dialect: adapter.dialects[form],
        spec: { executable, sessionId: randomUUID(), cwd, model: String(agent["model"]), ...spec },
        home: home.path,
        env: { ...env, TMPDIR: home.path },
        ...(systemPrompt === undefined ? {} : { systemPrompt }),
      }),
    async [Symbol.asyncDispose]() {
      await api.stop();
      home[Symbol.dispose]();
    },
  };
}
