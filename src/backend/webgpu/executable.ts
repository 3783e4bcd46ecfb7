// A plan made ready on a device: its dispatches in order, the words that each is told, and its runs. A run is one command buffer.

import { kernelInputs, type Repeat } from "../../../kernels/kernel.ts";
import { type Kernel, kernelIndices } from "../../../kernels/kinds.ts";
import { OutOfRange } from "../../../kernels/range.ts";
import type { Buffer, Executable, Probe, Repairs, Run } from "../../compile/contract.ts";
import { type Nested, nested, positionOf } from "../../compile/nested.ts";
import type { Plan } from "../../compile/plan.ts";
import type { TypedArray } from "../../core/dtype.ts";
import type { Schedule } from "../../schedule/schedule.ts";
import type { Workspace } from "../blocks.ts";
import { addressOf } from "../memory.ts";
import { type Device, usage } from "./device.ts";
import { type Heap, readWords } from "./heap.ts";
import { printKernel } from "./kernel.ts";
import type { Pipelines } from "./pipelines.ts";
import { type Dispatch, type IndexCheck, widestDispatch } from "./shader.ts";
import { type Entry, type Made, mostRepaired, Uniforms } from "./uniforms.ts";

/** What a backend's executables share. */
export interface Home {
  readonly device: Device;
  readonly heap: Heap;
  readonly workspace: Workspace;
  readonly pipelines: Pipelines;
}

/** Makes a scheduled plan ready: compiles its shaders. */
export async function makeExecutable(schedule: Schedule, home: Home): Promise<Executable> {
  const { plan } = schedule;
  const state = new Set(plan.state.map(({ output }) => output));
  const isState = (value: number) => {
    const { place } = plan.values[value];
    return place.kind === "output" && state.has(place.index);
  };
  const compiled = async (dispatches: readonly Dispatch[], kernel?: number): Promise<Made[]> =>
    Promise.all(dispatches.map(async (each) => ({ ...each, kernel, pipeline: await home.pipelines.get(each.source) })));
  const hasChecks = plan.kernels.some((kernel) => kernelIndices(kernel).length > 0);
  const isGuarded = (value: number) => hasChecks && isState(value);
  const kernels = await Promise.all(
    plan.kernels.map((kernel, number) => compiled(printKernel(kernel, isGuarded(kernel.output)), number)),
  );
  return new WebgpuExecutable(schedule, home, kernels);
}

class WebgpuExecutable implements Executable {
  readonly plan: Plan;
  readonly scratchBytes: number;
  readonly #schedule: Schedule;
  readonly #home: Home;
  readonly #entries: readonly Entry[];
  readonly #sources: readonly (readonly Made[])[];
  readonly #uniforms: Uniforms;
  readonly #status: GPUBuffer;
  readonly #statusWords: number;
  readonly #hasChecks: boolean;
  readonly #bound: number[];
  #workspaceAt = -1;
  #group: { readonly heap: GPUBuffer; readonly bindings: GPUBindGroup } | undefined;

  constructor(schedule: Schedule, home: Home, kernels: readonly (readonly Made[])[]) {
    const { plan } = schedule;
    this.plan = plan;
    this.#schedule = schedule;
    this.#home = home;
    this.#sources = kernels;
    let [status, from] = [1, 1];
    const entries: Entry[] = [];
    const enter = (made: Made, positions: ReadonlyMap<Repeat, number>) => {
      if (!made.isRepair) {
        from = status;
        status += 1 + made.checks.length;
      }
      entries.push({ made, positions, status: from });
    };
    const order = nested([...plan.kernels.keys()], (number) => plan.kernels[number].repeat);
    const enterAll = (list: readonly Nested<number>[], positions: ReadonlyMap<Repeat, number>): void => {
      for (const each of list) {
        if ("item" in each) for (const made of kernels[each.item]) enter(made, positions);
        else
          for (let turn = 0; turn < each.repeat.count; turn++)
            enterAll(each.body, new Map([...positions, [each.repeat, positionOf(each.repeat, turn)]]));
      }
    };
    enterAll(order, new Map());
    this.#entries = entries;
    this.#statusWords = status;
    this.#hasChecks = entries.some(({ made }) => made.checks.length > 0);
    this.scratchBytes = 4 * entries.reduce((most, { made }) => Math.max(most, made.scratch), 0);
    this.#uniforms = new Uniforms(plan, entries, home);
    this.#status = home.device.gpu.createBuffer({
      size: 4 * this.#statusWords,
      usage: usage.storage | usage.copySource | usage.copyTarget,
    });
    this.#bound = [...plan.inputs, ...plan.outputs].map(() => -1);
  }

  #bind(ports: Plan["inputs"], buffers: readonly Buffer[], from: number): void {
    ports.forEach(({ value }, i) => {
      const address = addressOf("webgpu", this.#home.heap, buffers[i]);
      if (this.#bound[from + i] === address) return;
      this.#bound[from + i] = address;
      this.#uniforms.place(value, address);
    });
  }

  get sources(): Executable["sources"] {
    return this.#sources.map((dispatches, kernel) => ({
      kernel,
      where: "webgpu",
      source: dispatches.map(({ source }) => source).join("\n\n"),
    }));
  }

  run({ inputs, outputs, seed, base, probe, repairs }: Run): void | Promise<void> {
    const { device, workspace, heap } = this.#home;
    device.check();
    const { arenaBytes, offsets } = this.#schedule;
    const at = workspace.reserve(arenaBytes + this.scratchBytes);
    if (at !== this.#workspaceAt) {
      this.#workspaceAt = at;
      for (const [value, offset] of offsets) this.#uniforms.place(value, at + offset);
      this.#uniforms.placeScratch(at + arenaBytes);
    }
    this.#bind(this.plan.inputs, inputs, 0);
    this.#bind(this.plan.outputs, outputs, inputs.length);
    this.#uniforms.drawFrom(seed, base);
    this.#uniforms.repairUpTo(repairs?.most ?? Number.POSITIVE_INFINITY);
    this.#uniforms.upload();
    if (probe) return this.#runSeen(probe, base);
    this.#submit(heap, 0, this.#entries.length, true);
    if (this.#hasChecks || repairs) return this.#lookBack(repairs);
  }

  /** A run in parts: what a kernel reads is copied out before it, what it wrote after it. */
  async #runSeen({ kernels, seen }: Probe, base: number): Promise<void> {
    const { heap } = this.#home;
    const entries = this.#entries;
    let done = 0;
    const upTo = (count: number) => {
      this.#submit(heap, done, count, done === 0);
      done = count;
    };
    for (let i = 0; i < entries.length; i++) {
      const { made, positions } = entries[i];
      const { kernel: number } = made;
      const isFirst = [...positions].every(([repeat, position]) => position === positionOf(repeat, 0));
      if (number === undefined || !kernels.has(number) || !isFirst) continue;
      const kernel = this.plan.kernels[number];
      upTo(i);
      while (entries[i + 1]?.made.kernel === number && entries[i + 1].positions === positions) i++;
      const elements = new Map<number, TypedArray>();
      for (const { source } of kernelInputs(kernel))
        if (typeof source === "number") elements.set(source, await this.#elements(source, positions));
      upTo(i + 1);
      elements.set(kernel.output, await this.#elements(kernel.output, positions));
      let from = base;
      for (const [repeat, position] of positions) from += position * repeat.draws;
      seen(number, elements, from);
    }
    upTo(entries.length);
    if (this.#hasChecks) await this.#lookBack();
  }

  /** The elements of a value that a dispatch reads or writes. */
  #elements(value: number, positions: Entry["positions"]): Promise<TypedArray> {
    const { dtype, size } = this.plan.values[value];
    return this.#home.heap.read(dtype, 4 * this.#uniforms.wordOf(value, positions), size);
  }

  /** The dispatches from `start` to before `end`, as one command buffer. */
  #submit(heap: Heap, start: number, end: number, isFresh: boolean): void {
    const { gpu } = this.#home.device;
    const encoder = gpu.createCommandEncoder();
    if (isFresh) encoder.clearBuffer(this.#status);
    const pass = encoder.beginComputePass();
    const bindings = this.#bindings(heap);
    for (let i = start; i < end; i++) {
      const { pipeline, groups } = this.#entries[i].made;
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings, [this.#uniforms.bytesOfOne * i]);
      if (groups > widestDispatch) pass.dispatchWorkgroups(widestDispatch, Math.ceil(groups / widestDispatch));
      else pass.dispatchWorkgroups(groups);
    }
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  }

  #bindings({ buffer }: Heap): GPUBindGroup {
    if (this.#group?.heap === buffer) return this.#group.bindings;
    const { device, pipelines } = this.#home;
    const bindings = device.gpu.createBindGroup({
      layout: pipelines.layout,
      entries: [
        { binding: 0, resource: { buffer } },
        { binding: 1, resource: this.#uniforms.one },
        { binding: 2, resource: { buffer: this.#status } },
      ],
    });
    this.#group = { heap: buffer, bindings };
    return bindings;
  }

  /** What the dispatches noted in `status`. */
  async #lookBack(repairs?: Repairs): Promise<void> {
    const { device, heap } = this.#home;
    const status = new Uint32Array(await readWords(device, this.#status, 0, this.#statusWords));
    if (repairs) this.#tellLeft(status, repairs);
    if (status[0] === 0) return;
    for (const [i, { made, status: first, positions }] of this.#entries.entries()) {
      for (const [number, check] of made.checks.entries()) {
        const point = status[first + 1 + number];
        if (point === 0) continue;
        // What the index was has been overwritten since, perhaps: up to here again. No state has been written.
        this.#submit(heap, 0, i, false);
        await this.#refuse(this.plan.kernels[made.kernel!], number, check, ~point >>> 0, positions);
      }
    }
  }

  #tellLeft(status: Uint32Array, { most, left }: Repairs): void {
    let outputs = 0;
    for (const { made, status: doubts } of this.#entries)
      for (const slot of made.slots)
        if ("operations" in slot) outputs += Math.max(0, status[doubts] - mostRepaired(slot, most));
    if (outputs > 0) left(outputs);
  }

  async #refuse(
    kernel: Kernel,
    number: number,
    { value, element }: IndexCheck,
    point: number,
    positions: ReadonlyMap<Repeat, number>,
  ): Promise<never> {
    const address = this.#uniforms.wordOf(value, positions) + element(point);
    const [index] = await this.#home.heap.read("int32", 4 * address, 1);
    throw new OutOfRange(String(index), kernelIndices(kernel)[number].extent);
  }

  dispose(): void {
    this.#uniforms.dispose();
    this.#status.destroy();
  }
}
