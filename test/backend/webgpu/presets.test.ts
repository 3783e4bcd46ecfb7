// Presets' first steps on WebGPU: class A's graph and digest. Of the larger ones batches are small here; whole they are trained by `npm run test:engines`.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/compile/contract.ts";
import { webgpuAlone } from "../../support/backends.ts";
import { type Edit, published, run } from "../../support/presets.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

describe.skipIf(noWebgpu)("two steps on webgpu", () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await webgpuAlone();
  });
  afterAll(async () => {
    await backend?.dispose();
  });

  test("mnist-mlp: the published graph, and the digest of wasm", async () => {
    const expected = await run("mnist-mlp", [], 2, "wasm");
    expect(expected.graphHash).toBe(published("mnist-mlp").graphHash);
    expect(await run("mnist-mlp", [], 2, backend)).toEqual(expected);
  }, 900_000);

  test.each<[name: string, edit: Edit]>([
    ["mnist-cnn", ["batch_size: 128", "batch_size: 8"]],
    ["moby-gpt", ["batch_size: 16", "batch_size: 1"]],
  ])(
    "%s: the graph and the digest of wasm",
    async (name, edit) => {
      expect(await run(name, [edit], 2, backend)).toEqual(await run(name, [edit], 2, "wasm"));
    },
    900_000,
  );
});
