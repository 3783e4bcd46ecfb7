// Law 5 on WebGPU: reference's bits in every 10th case; all of them in `npm run test:conformance -- --on webgpu`.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/compile/contract.ts";
import { webgpuAlone } from "../support/backends.ts";
import { noWebgpu } from "../support/swiftshader.ts";
import { differing, prepare } from "./batch.ts";
import { conformanceCases } from "./cases.ts";

const cases = conformanceCases().filter((_, i) => i % 10 === 0);

describe.skipIf(noWebgpu)("webgpu gives reference's bits", () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await webgpuAlone();
  });
  afterAll(async () => {
    await backend?.dispose();
  });

  // A plan a case: a device in software compiles all shaders of a plan at once.
  test.each(cases.map((each) => [each.name, each] as const))(
    "%s",
    async (_, each) => {
      expect(await differing(backend, await prepare([each]))).toEqual([]);
    },
    300_000,
  );
});
