// The webgpu backend: kernels printed as WGSL, values in one buffer of the device, a run in one command buffer. WGSL promises little of a float's bits, so
// class B: what a device does with them has to be tried on it.

import type { Backend, Buffer, Executable } from "../../compile/contract.ts";
import type { Plan } from "../../compile/plan.ts";
import { plainTarget } from "../../compile/target.ts";
import type { DType, TypedArray } from "../../core/dtype.ts";
import { BackendError } from "../../core/errors.ts";
import { importing } from "../../core/lazy.ts";
import { schedulePlan } from "../../schedule/schedule.ts";
import { Workspace } from "../blocks.ts";
import { certified } from "../certificate.ts";
import { type Device, openDevice } from "./device.ts";
import { addressOf, makeExecutable, type WebgpuBuffer } from "./executable.ts";
import { Heap } from "./heap.ts";
import { Pipelines } from "./pipelines.ts";

/** The backend on a device, by itself not certified. */
export function webgpuOver(device: Device): Backend {
  return new WebgpuBackend(device);
}

/**
 * The backend on the device that there is, which is tried against one of class A; what fails runs on that. `share` of the kernels that the device runs are audited. Throws
 * BackendError where there is no device.
 */
export async function webgpuBackend(against: Backend, share?: number): Promise<Backend> {
  const device = await openDevice();
  return certified(webgpuOver(device), against, device.name, share);
}

class WebgpuBackend implements Backend {
  readonly name = "webgpu";
  readonly class = "B";
  readonly threads = 1;
  readonly target = { ...plainTarget, words: true };
  readonly #device: Device;
  readonly #heap: Heap;
  readonly #workspace: Workspace;
  readonly #pipelines: Pipelines;

  constructor(device: Device) {
    this.#device = device;
    this.#heap = new Heap(device);
    this.#workspace = new Workspace(this.#heap);
    this.#pipelines = new Pipelines(device);
  }

  allocate(dtype: DType, size: number): Buffer {
    this.#device.check();
    return { dtype, size, owner: this.#heap, address: this.#heap.allocate(4 * size) } as WebgpuBuffer;
  }

  write(buffer: Buffer, data: TypedArray): void {
    this.#device.check();
    if (data.length !== buffer.size) {
      throw new BackendError({
        where: "webgpu.write",
        problem: "sizes differ",
        got: String(data.length),
        expected: String(buffer.size),
      });
    }
    this.#heap.write(addressOf(this.#heap, buffer), data);
  }

  async read(buffer: Buffer): Promise<TypedArray> {
    this.#device.check();
    return this.#heap.read(buffer.dtype, addressOf(this.#heap, buffer), buffer.size);
  }

  free(buffer: Buffer): void {
    const address = addressOf(this.#heap, buffer);
    (buffer as WebgpuBuffer).address = -1;
    this.#heap.free(address, 4 * buffer.size);
  }

  async load(plan: Plan): Promise<Executable> {
    this.#device.check();
    const home = {
      device: this.#device,
      heap: this.#heap,
      workspace: this.#workspace,
      pipelines: this.#pipelines,
    };
    return makeExecutable(await importing(() => schedulePlan(plan, this.target)), home);
  }

  dispose(): void {
    this.#device.close();
  }
}
