// Presets and what they are known to give: digests.json beside them holds, by file name, the digest that a run of the preset's config under the
// numerics id had.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { numericsId } from "../core/numerics.ts";
import { configHash, loadConfig } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";

/** What was published of a preset. */
export interface Published {
  readonly numerics: string;
  readonly graphHash: string;
  readonly digest: string;
}

/** Beside the sources, or in the package beside what was built from them. */
const folders = ["../presets/", "../../../src/presets/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** What is published for a config file: undefined if it is no preset, `other` if the config was changed by flags, or the numerics id is another than published. */
export function publishedFor(file: string, config: Config): Published | "other" | undefined {
  if (!existsSync(file)) return undefined;
  const folder = folders.find(
    (candidate) => existsSync(candidate) && realpathSync(candidate) === dirname(realpathSync(file)),
  );
  const path = folder && join(folder, "digests.json");
  if (!path || !existsSync(path)) return undefined;
  const all = JSON.parse(readFileSync(path, "utf8")) as Record<string, Published>;
  const published = all[basename(file)];
  if (!published) return undefined;
  return published.numerics === numericsId && configHash(loadConfig(file)) === configHash(config) ? published : "other";
}

/** The folder itself if it isn't there yet, else the first of `folder-2`, `folder-3`, … that isn't. */
export function freshFolder(folder: string): string {
  let candidate = folder;
  for (let n = 2; existsSync(candidate); n++) candidate = `${folder}-${n}`;
  return candidate;
}
