// Law 5 on WebGPU: reference's bits in every 10th case; all of them in `npm run test:conformance -- --on webgpu`.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/compile/contract.ts";
import { webgpuAlone } from "../support/backends.ts";
import { noWebgpu } from "../support/swiftshader.ts";
import { differing, parted, prepare } from "./batch.ts";
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

  // A plan's shaders are compiled at once.
  test.each(parted(cases).map((part, i) => [i, part] as const))(
    "part %i of the cases",
    async (_, part) => {
      expect(await differing(backend, await prepare(part))).toEqual([]);
    },
    300_000,
  );
});
