// A WebGPU device in Node: it is opened, computes, and says what is wrong where it can't be had.
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { computeStage, mapForReading, openDevice, usage } from "../../../src/backend/webgpu/device.ts";
import { findGpu } from "../../../src/backend/webgpu/gpu.node.ts";
import { findGpu as findInPage } from "../../../src/backend/webgpu/gpu.web.ts";
import { BackendError } from "../../../src/core/errors.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

describe.skipIf(noWebgpu)("a device", () => {
  test("runs a shader, and its buffer is read", async () => {
    const device = await openDevice();
    const { gpu } = device;
    expect(device.name).not.toBe("");
    const code = `@group(0) @binding(0) var<storage, read_write> words: array<u32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { words[id.x] = id.x * 0x9e3779b9u; }`;
    const layout = gpu.createBindGroupLayout({
      entries: [{ binding: 0, visibility: computeStage, buffer: { type: "storage" } }],
    });
    const pipeline = await gpu.createComputePipelineAsync({
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: gpu.createShaderModule({ code }) },
    });
    const buffer = gpu.createBuffer({ size: 1024, usage: usage.storage | usage.copySource });
    const read = gpu.createBuffer({ size: 1024, usage: usage.mapRead | usage.copyTarget });
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }));
    pass.dispatchWorkgroups(4);
    pass.end();
    encoder.copyBufferToBuffer(buffer, 0, read, 0, 1024);
    gpu.queue.submit([encoder.finish()]);
    await read.mapAsync(mapForReading);
    device.check();
    expect([...new Uint32Array(read.getMappedRange())]).toEqual(
      Array.from({ length: 256 }, (_, i) => Math.imul(i, 0x9e3779b9) >>> 0),
    );
    device.close();
    expect(() => device.check()).toThrow(BackendError);
  });

  test("keeps the entry to WebGPU as long as itself: the package ends with that", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    let entry: WeakRef<GPU> | undefined;
    const device = await openDevice(async () => {
      const found = (await findGpu()) as GPU;
      entry = new WeakRef(found);
      return found;
    });
    for (let turn = 0; turn < 3; turn++) {
      await setTimeout(1);
      collect();
    }
    expect(entry?.deref()).toBeDefined();
    device.check();
    device.close();
  });

  test("what it refuses is told of", async () => {
    const device = await openDevice();
    device.gpu.createShaderModule({ code: "fn main() { nonsense }" });
    await device.gpu.queue.onSubmittedWorkDone();
    await expect.poll(() => attempt(() => device.check())).toMatch(/the device failed.*nonsense/s);
    device.close();
  });
});

const attempt = (body: () => void): string => {
  try {
    body();
    return "";
  } catch (error) {
    return String(error);
  }
};

test("a missing package is told by name, with the line that installs it", async () => {
  const load = async () => {
    throw new Error("Cannot find package 'webgpu'");
  };
  const opened = openDevice(() => findGpu(load));
  await expect(opened).rejects.toThrow(BackendError);
  await expect(openDevice(() => findGpu(load))).rejects.toThrow(/npm install webgpu@0\.6\.2.*Cannot find package/s);
});

test("no adapter is told of, and how to get one", async () => {
  const none = { requestAdapter: async () => null } as unknown as GPU;
  await expect(openDevice(async () => none)).rejects.toThrow(/finds no adapter.*libvulkan1.*VK_ICD_FILENAMES/s);
});

test("an adapter that gives no device is told of", async () => {
  const poor = {
    requestAdapter: async () => ({
      limits: {},
      info: {},
      requestDevice: async () => {
        throw new Error("too busy");
      },
    }),
  } as unknown as GPU;
  await expect(openDevice(async () => poor)).rejects.toThrow(/gives no device.*too busy/);
});

test("a page without WebGPU says so", async () => {
  // Node has no navigator.gpu: nor has such a page.
  expect(await findInPage()).toMatch(/no WebGPU/);
});
