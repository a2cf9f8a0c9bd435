import { createMetrics, type Gauges, type MetricDescription } from "../../src/telemetry/metrics.ts";
import { code, page, table } from "./markdown.ts";

const introduction = `\`GET /metrics\` answers in Prometheus's text format and needs the token. Labels are closed sets: never an
id, never text. Times are seconds.`;

const scrape = `A scrape job:

\`\`\`yaml
scrape_configs:
  - job_name: headway
    authorization:
      credentials_file: /var/lib/headway/token
    static_configs:
      - targets: ["127.0.0.1:4270"]
\`\`\``;

const processMetrics = `Beside these there are prom-client's metrics of the process itself (CPU, memory, file descriptors,
event-loop lag, garbage collection) as \`headway_process_…\` and \`headway_nodejs_…\`; which of them there are
depends on the platform.`;

export async function metricsPage(): Promise<string> {
  const described = await createMetrics(idle).describe();
  const own = described.filter(({ name }) => !/^headway_(process|nodejs)_/.test(name));
  return page("Metrics", "src/telemetry/metrics.ts", [
    introduction,
    table(["name", "type", "labels", "meaning"], own.map(rowOf)),
    processMetrics,
    scrape,
  ]);
}

function rowOf({ name, type, labels, help }: MetricDescription): string[] {
  return [code(name), type, labels.map(code).join(" "), help];
}

/** Values are nothing to a description. */
const idle: Gauges = {
  active: () => 0,
  queued: () => 0,
  warm: () => 0,
  quarantined: () => 0,
  breakersOpen: () => 0,
  breakersHalfOpen: () => 0,
  streams: () => 0,
  rawLogBytes: () => 0,
  ready: () => true,
  containment: () => "",
  version: "",
};
