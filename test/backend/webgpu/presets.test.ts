// Presets' first steps on WebGPU: class A's graph and digest. Batches are small here, and layers few; whole they are trained by `npm run test:engines`, and mnist-mlp is in gpu.test.ts.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/compile/contract.ts";
import { webgpuAlone } from "../../support/backends.ts";
import { type Edit, run } from "../../support/presets.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

describe.skipIf(noWebgpu)("two steps on webgpu", () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await webgpuAlone();
  });
  afterAll(async () => {
    await backend?.dispose();
  });

  test.each<[name: string, ...edits: Edit[]]>([
    ["mnist-cnn", ["batch_size: 128", "batch_size: 8"], ["split: train", "split: test"]],
    ["moby-gpt", ["batch_size: 16", "batch_size: 1"], ["layers: 4", "layers: 1"]],
  ])(
    "%s: the graph and the digest of wasm",
    async (name, ...edits) => {
      expect(await run(name, edits, 2, backend)).toEqual(await run(name, edits, 2, "wasm"));
    },
    900_000,
  );
});
