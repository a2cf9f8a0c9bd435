import { filePolicyScenarios } from "./file-policy-scenarios.ts";
import { claudeTraits } from "./traits.ts";

// In acceptEdits mode Claude Code denies most shell commands; its own settings can allow them.
const settings = JSON.stringify({ permissions: { allow: ["Bash"] } });

filePolicyScenarios(claudeTraits, { homeFiles: { ".claude/settings.json": settings } });
