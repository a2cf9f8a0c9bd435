import { speakAsRecorded } from "./drift-scenarios.ts";

/* OpenCode, which takes as long as these together, is in `drift.long.ts`. */
speakAsRecorded(["claude", "gemini", "droid"]);
