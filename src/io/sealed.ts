// A checkpoint's own digest: over its tensors and the text that says where its run stands, both in one file's metadata. Whoever reads a checkpoint holds it to that; a file of weights alone has none.

import type { HostArray } from "../core/array.ts";
import { toHex } from "../core/canonical.ts";
import { CheckpointError } from "../core/errors.ts";
import type { Safetensors } from "./safetensors.ts";
import { tensorsDigest } from "./state.ts";

const stateKey = "seedgrad";
const digestKey = "seedgrad.digest";

/** Where a run stands, as a checkpoint's file has it; undefined in a file of weights alone. */
export function stateText({ metadata }: Pick<Safetensors, "metadata">): string | undefined {
  return Object.hasOwn(metadata, stateKey) ? metadata[stateKey] : undefined;
}

/** The metadata of a checkpoint of these tensors. */
export function sealed(text: string, tensors: readonly (readonly [string, HostArray])[]): Record<string, string> {
  return { [stateKey]: text, [digestKey]: stateDigest(text, tensors) };
}

/** Throws CheckpointError where a checkpoint's content isn't that which its digest was made of. */
export function checkSeal(path: string, { tensors, metadata }: Pick<Safetensors, "tensors" | "metadata">): void {
  const text = stateText({ metadata });
  if (text === undefined) return;
  const digest = stateDigest(text, [...tensors]);
  if (digest === metadata[digestKey]) return;
  throw new CheckpointError({
    where: path,
    problem: "its content isn't what was written",
    got: digest,
    expected: metadata[digestKey] ?? "a digest",
    hint: "the file is damaged: use an earlier checkpoint",
  });
}

/** SHA-256 over the state's text, as a tensor of bytes, and all tensors. */
function stateDigest(text: string, tensors: readonly (readonly [string, HostArray])[]): string {
  const data = new TextEncoder().encode(text);
  return toHex(tensorsDigest([...tensors, [`\u0000${stateKey}`, { data, shape: [data.length], dtype: "bool" }]]));
}
