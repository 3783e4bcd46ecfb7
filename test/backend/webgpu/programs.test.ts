// Laws 5 and 6 on WebGPU: random programs with gradients and state give the reference's bits.
import fc from "fast-check";
import { afterAll, describe, test } from "vitest";
import type { Backend } from "../../../src/compile/contract.ts";
import { webgpuAlone } from "../../support/backends.ts";
import { checkProgram, choices, programOf } from "../../support/programs.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

const runs = Number(process.env.WEBGPU_PROGRAMS ?? 6);

describe.skipIf(noWebgpu)("random programs on webgpu", () => {
  let backend: Backend | undefined;
  afterAll(() => backend?.dispose());

  test("give the reference's bits", async () => {
    const webgpu = await webgpuAlone();
    backend = webgpu;
    await fc.assert(
      fc.asyncProperty(choices, fc.boolean(), fc.boolean(), async (numbers, differentiate, fuse) => {
        await checkProgram(programOf(numbers, { differentiate }), [["webgpu", webgpu]], [fuse ? "fused" : "unfused"]);
      }),
      { numRuns: runs },
    );
  }, 900_000);
});
