import type * as promClient from "prom-client";

/**
 * The parts of prom-client that count, one by one: its index also loads a push gateway with an HTTP client,
 * which would be 30 ms and 8 MB of every start.
 */
const load = import.meta.require;

export const Registry = load("prom-client/lib/registry.js") as typeof promClient.Registry;
export const Counter = load("prom-client/lib/counter.js") as typeof promClient.Counter;
export const Gauge = load("prom-client/lib/gauge.js") as typeof promClient.Gauge;
export const Histogram = load("prom-client/lib/histogram.js") as typeof promClient.Histogram;

/** The metrics of the process itself, which bring OpenTelemetry with them: loaded when they are wanted. */
export function loadCollectDefaultMetrics(): typeof promClient.collectDefaultMetrics {
  return load("prom-client/lib/defaultMetrics.js") as typeof promClient.collectDefaultMetrics;
}
