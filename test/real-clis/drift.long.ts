import { speakAsRecorded } from "./drift-scenarios.ts";

speakAsRecorded(["opencode"]);
