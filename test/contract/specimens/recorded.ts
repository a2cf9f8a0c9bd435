import { join } from "node:path";
import {
  readRecording,
  recordedScript,
  type Recording,
  recordingsFolder,
} from "../../runner/adapters/recordings.ts";
import type { Said } from "../dialect-case.ts";
import type { Line } from "../script.ts";

interface Recorded {
  recording(name: string): Recording;
  script(name: string): Line[];
  /** Of a recording that ended otherwise than well. */
  failure(name: string): Said;
}

/** What a version of a CLI was recorded to say. */
export function recordedBy(cli: string, version: string): Recorded {
  const folderOf = (name: string) => join(recordingsFolder(cli, version), name);
  const recording = (name: string) => readRecording(folderOf(name));
  const script = (name: string) => recordedScript(folderOf(name));
  return {
    recording,
    script,
    failure(name) {
      const { stderr, exit } = recording(name);
      return { lines: script(name), stderr, exit };
    },
  };
}
