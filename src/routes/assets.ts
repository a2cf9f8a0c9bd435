import type { Hono } from "hono";
import { takesGzip } from "./document.ts";
import type { RouteEnvironment } from "./environment.ts";
import { problem } from "./problem.ts";

export interface AssetSource {
  find(name: string): {
    bytes: Uint8Array<ArrayBuffer>;
    gzipped: Uint8Array<ArrayBuffer>;
    contentType: string;
    hash: string;
  } | null;
}

export const assetsPath = "/assets/";

/** Their addresses carry the hash of their content, so a browser asks for each version once. */
export function addAssetRoutes(app: Hono<RouteEnvironment>, assets: AssetSource): void {
  app.get(`${assetsPath}*`, (c) => {
    const asset = assets.find(c.req.path.slice(assetsPath.length));
    if (!asset) return problem(c, "not_found", { detail: "There is no such file." });
    const isCurrent = c.req.query("v") === asset.hash;
    c.header("Cache-Control", isCurrent ? "public, max-age=31536000, immutable" : "no-cache");
    c.header("ETag", `"${asset.hash}"`);
    c.header("Vary", "Accept-Encoding");
    c.header("Content-Type", asset.contentType);
    if (!takesGzip(c.req.header("accept-encoding"))) return c.body(asset.bytes);
    c.header("Content-Encoding", "gzip");
    return c.body(asset.gzipped);
  });
}
