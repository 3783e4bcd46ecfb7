// Presets trained as tests want them: a few steps, smaller, on a backend.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Backend } from "../../src/compile/contract.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { root } from "./sources.ts";

/** A text of the preset, and what stands in its place. */
export type Edit = readonly [from: string, to: string];

/** What is published of a preset's whole run. */
export const published = (name: string): { readonly graphHash: string; readonly digest: string } =>
  JSON.parse(readFileSync(join(root, "src/presets/digests.json"), "utf8"))[`${name}.yaml`];

/** A preset's first steps, or its whole run, with nothing beside it: no folder, no checkpoints, no callbacks, no loggers. */
export async function run(
  name: string,
  edits: readonly Edit[],
  numSteps: number | undefined,
  backend: string | Backend,
  threads?: number,
) {
  const file = `${name}.yaml`;
  const text = edits.reduce(
    (sofar, [from, to]) => {
      expect(sofar).toContain(from);
      return sofar.replace(from, to);
    },
    readFileSync(join(root, "src/presets", file), "utf8"),
  );
  const config = parseConfig(text, file);
  const { valDataloader, ...fit } = config.trainer.fit!;
  // The first steps are looked at without validation, whose data needn't be read then.
  const needed = numSteps === undefined ? config : { ...config, trainer: { ...config.trainer, fit } };
  const { trainer, train, vals } = buildTrainer(needed, {
    ...{ modelDir: undefined, checkpoint: null, callbacks: [], loggers: [], logging: { logLevel: "silent" } },
    ...(numSteps !== undefined && { loop: { numSteps } }),
    ...{ backend, threads },
    // A backend of class B without a certificate marks the digest, which is the same otherwise.
    ...(typeof backend !== "string" && { deterministic: "warn" as const }),
  });
  const { digest, graphHash, loss, metrics } = await trainer.fit(
    train!,
    numSteps === undefined ? [...vals] : undefined,
  );
  return { digest: digest.replace(/^warn:/, ""), graphHash, loss, metrics };
}
