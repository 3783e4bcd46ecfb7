// The webgpu backend: kernels printed as WGSL, values in one buffer of the device, a run in one command buffer. WGSL promises little of a float's bits, so
// class B: what a device does with them has to be tried on it.

import type { Backend } from "../../compile/contract.ts";
import { plainTarget } from "../../compile/target.ts";
import { importing } from "../../core/lazy.ts";
import { schedulePlan } from "../../schedule/schedule.ts";
import { Workspace } from "../blocks.ts";
import { certified } from "../certificate.ts";
import { addressedMemory } from "../memory.ts";
import { type Device, openDevice } from "./device.ts";
import { makeExecutable } from "./executable.ts";
import { Heap } from "./heap.ts";
import { Pipelines } from "./pipelines.ts";

/** The backend on a device, by itself not certified. */
export function webgpuOver(device: Device): Backend {
  const target = { ...plainTarget, words: true };
  const heap = new Heap(device);
  const home = { device, heap, workspace: new Workspace(heap), pipelines: new Pipelines(device) };
  const check = () => device.check();
  return {
    name: "webgpu",
    class: "B",
    threads: 1,
    target,
    ...addressedMemory("webgpu", heap, check, () => 4),
    async load(plan) {
      check();
      return makeExecutable(await importing(() => schedulePlan(plan, target)), home);
    },
    dispose: () => device.close(),
  };
}

/**
 * The backend on the device that there is, which is tried against one of class A; what fails runs on that. `share` of the kernels that the device runs are audited. Throws
 * BackendError where there is no device.
 */
export async function webgpuBackend(against: Backend, share?: number): Promise<Backend> {
  const device = await openDevice();
  return certified(webgpuOver(device), against, device.name, share);
}
