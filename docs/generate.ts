/** `npm run docs`: writes the pages that are made from the source. `test/docs` fails when one is stale. */
import { join } from "node:path";
import { apiPage } from "./pages/api.ts";
import { configurationPage, environmentExample } from "./pages/configuration.ts";
import { dialectsPage } from "./pages/dialects.ts";
import { errorsPage } from "./pages/errors.ts";
import { faultsPage } from "./pages/faults.ts";
import { metricsPage } from "./pages/metrics.ts";

const projectDir = join(import.meta.dir, "..");

/** Text by path, relative to the project. */
export async function generatePages(): Promise<Map<string, string>> {
  return new Map([
    [".env.example", environmentExample()],
    ["docs/api.md", await apiPage()],
    ["docs/configuration.md", configurationPage()],
    ["docs/dialects.md", dialectsPage()],
    ["docs/errors.md", errorsPage()],
    ["docs/faults.md", faultsPage()],
    ["docs/metrics.md", await metricsPage()],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of await generatePages()) {
    await Bun.write(join(projectDir, path), text);
    console.log(path);
  }
}
