import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** A file that browsers load, whole in memory: there are few and they are small. */
export interface Asset {
  bytes: Uint8Array<ArrayBuffer>;
  gzipped: Uint8Array<ArrayBuffer>;
  contentType: string;
  hash: string;
}

export interface Assets {
  find(name: string): Asset | null;
  /** The address that changes with the file, so that browsers may keep it for ever. */
  url(name: string): string;
}

const contentTypes: Record<string, string> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** Reads `public/` once; only files of known types are served. */
export function readAssets(folder: string): Assets {
  const assets = new Map<string, Asset>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const contentType = contentTypes[entry.name.split(".").at(-1) ?? ""];
    if (!entry.isFile() || contentType === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    assets.set(relative(folder, path), readAsset(path, contentType));
  }
  return {
    find: (name) => assets.get(name) ?? null,
    url(name) {
      const asset = assets.get(name);
      if (!asset) throw new Error(`There is no asset ${name}.`);
      return `/assets/${name}?v=${asset.hash}`;
    },
  };
}

function readAsset(path: string, contentType: string): Asset {
  const bytes = new Uint8Array(readFileSync(path));
  let gzipped: Asset["gzipped"] | null = null;
  return {
    bytes,
    // Made when a browser first asks for it, so that no start waits for it.
    get gzipped() {
      return (gzipped ??= Bun.gzipSync(bytes));
    },
    contentType,
    hash: Bun.hash(bytes).toString(36),
  };
}
