// Presets and what they are known to give: digests.json beside them holds, by file name, the digest that a run of the preset's config under the
// numerics id had.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ownFolder } from "#files";
import { ownValue } from "../core/keys.ts";
import { numericsId } from "../core/numerics.ts";
import { configHash, loadConfig } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";

/** What was published of a preset. */
export interface Published {
  readonly numerics: string;
  readonly graphHash: string;
  readonly digest: string;
}

/** What is published for a config file: undefined if it is no preset, or why nothing published is comparable: its config was changed by flags, or the published digest is of another numerics id. */
export function publishedFor(file: string, config: Config): Published | string | undefined {
  if (!existsSync(file)) return undefined;
  const folder = ownFolder("src/presets");
  if (!folder || realpathSync(folder) !== dirname(realpathSync(file))) return undefined;
  const path = join(folder, "digests.json");
  if (!existsSync(path)) return undefined;
  const all = JSON.parse(readFileSync(path, "utf8")) as Record<string, Published>;
  const published = ownValue(all, basename(file));
  if (!published) return undefined;
  if (published.numerics !== numericsId)
    return `it is of numerics ${published.numerics}, this version's are ${numericsId}`;
  return configHash(loadConfig(file)) === configHash(config) ? published : "another config";
}

/** The folder itself if it isn't there yet, else the first of `folder-2`, `folder-3`, … that isn't. */
export function freshFolder(folder: string): string {
  let candidate = folder;
  for (let n = 2; existsSync(candidate); n++) candidate = `${folder}-${n}`;
  return candidate;
}
