import { join } from "node:path";
import type { FakeCli } from "../dialect-case.ts";

/** One of the fakes of test/fixtures/bin: they all answer alike (fake-parts/behaviours.js). */
export function fakeCli(name: string, hold = "hold"): FakeCli {
  return {
    executable: join(import.meta.dir, "../../fixtures/bin", name),
    hello: { prompt: "hello", answer: "You said: hello" },
    recall: { prompt: "recall", answer: "Earlier you said: hello" },
    hold: { prompt: hold },
  };
}
