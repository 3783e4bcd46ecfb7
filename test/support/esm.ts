// The library as modules for pages, as `npm run build` writes them, once for all test files.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundle, type Chunk } from "../../tools/bundle.ts";
import { once } from "./once.ts";

export async function libraryModules(): Promise<readonly Chunk[]> {
  const folder = await once("modules", async (path) =>
    writeFileSync(join(path, "chunks.json"), JSON.stringify(await bundle())),
  );
  return JSON.parse(readFileSync(join(folder, "chunks.json"), "utf8"));
}
