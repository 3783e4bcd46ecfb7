// Presets' short forms on WebGPU: class A's graph and digest.
import { describe, expect, test } from "vitest";
import { webgpuAlone } from "../../support/backends.ts";
import { published, run } from "../../support/presets.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

describe.skipIf(noWebgpu)("two steps on webgpu", () => {
  test.each(["mnist-mlp", "mnist-cnn", "moby-gpt"])(
    "%s: the published graph, and the digest of wasm",
    async (name) => {
      const expected = await run(name, [], 2, "wasm");
      expect(expected.graphHash).toBe(published(name).graphHash);
      expect(await run(name, [], 2, await webgpuAlone())).toEqual(expected);
    },
    900_000,
  );
});
