// What each dispatch of an executable is told by a uniform buffer: where values and scratch memory lie, the stream's state, and where its words of `status` begin.
import type { Repeat } from "../../../kernels/kernel.ts";
import { type Plan, partStart } from "../../compile/plan.ts";
import type { TypedArray } from "../../core/dtype.ts";
import { firstState } from "../../rng/state.ts";
import { jump } from "../../rng/words.ts";
import { groupSize } from "../../schedule/grid.ts";
import { type Device, usage } from "./device.ts";
import type { Heap } from "./heap.ts";
import { type Dispatch, firstSlot, type Repaired } from "./shader.ts";

/** A kernel's dispatch. */
export interface Made extends Dispatch {
  readonly kernel: number | undefined;
  readonly pipeline: GPUComputePipeline;
}

/** One dispatch of a run: of a repeated kernel there is one for each position. */
export interface Entry {
  readonly made: Made;
  readonly positions: ReadonlyMap<Repeat, number>;
  /** Where its words of `status` begin. */
  readonly status: number;
}

/** A word that says where something lies: which, and how far from its beginning. */
interface Placed {
  readonly word: number;
  readonly offset: number;
}

/** How many outputs are computed again at most, where that may take `most` operations: a workgroup has something to do. */
export const mostRepaired = ({ operations }: Repaired, most: number): number =>
  Math.min(0xffffffff, Math.max(groupSize, Math.floor(most / operations)));

export class Uniforms {
  readonly #plan: Plan;
  readonly #device: Device;
  readonly #heap: Heap;
  /** Each dispatch has so many words. */
  readonly #pitch: number;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #buffer: GPUBuffer;
  /** By value, which words say where it lies. */
  readonly #places = new Map<number, Placed[]>();
  readonly #scratchPlaces: number[] = [];
  readonly #repaired: { readonly word: number; readonly slot: Repaired }[] = [];
  readonly #draws: { readonly word: number; readonly first: number }[] = [];
  readonly #constants: [data: TypedArray, address: number][] = [];
  #isChanged = true;

  constructor(
    plan: Plan,
    entries: readonly Entry[],
    { device, heap }: { readonly device: Device; readonly heap: Heap },
  ) {
    this.#plan = plan;
    this.#device = device;
    this.#heap = heap;
    const sizeOf = ({ slots }: Dispatch) => slots.reduce((sum, slot) => sum + ("draws" in slot ? 2 : 1), firstSlot);
    this.#pitch = 64 * Math.ceil(entries.reduce((most, { made }) => Math.max(most, sizeOf(made)), 1) / 64);
    this.#words = new Uint32Array(Math.max(1, entries.length) * this.#pitch);
    this.#buffer = device.gpu.createBuffer({ size: this.#words.byteLength, usage: usage.uniform | usage.copyTarget });
    entries.forEach((entry, at) => this.#fill(entry, at * this.#pitch));
    plan.values.forEach(({ place }, value) => {
      if (place.kind === "constant") this.place(value, this.#constant(place.data));
    });
  }

  /** The first dispatch's, to be bound with an offset. */
  get one(): GPUBufferBinding {
    return { buffer: this.#buffer, size: this.bytesOfOne };
  }

  get bytesOfOne(): number {
    return 4 * this.#pitch;
  }

  /** Where in the heap data lies that is the executable's own. */
  #constant(data: TypedArray): number {
    const known = this.#constants.find(([of]) => of === data);
    if (known) return known[1];
    const address = this.#heap.allocate(4 * data.length);
    this.#constants.push([data, address]);
    this.#heap.write(address, data);
    return address;
  }

  /** Notes which words of a dispatch say what. */
  #fill({ made, positions, status }: Entry, from: number): void {
    this.#words[from + 1] = status;
    let word = from + firstSlot;
    for (const slot of made.slots) {
      if ("draws" in slot) {
        let first = slot.draws.firstDraw;
        for (const [repeat, position] of positions) first += position * repeat.draws;
        this.#draws.push({ word, first });
        word += 2;
        continue;
      }
      if ("program" in slot) this.#words[word] = this.#constant(slot.program) / 4;
      else if ("scratch" in slot) this.#scratchPlaces.push(word);
      else if ("operations" in slot) this.#repaired.push({ word, slot });
      else {
        const { home, offset } = this.#homeOf(slot.value, positions);
        this.#places.set(home, [...(this.#places.get(home) ?? []), { word, offset }]);
      }
      word++;
    }
  }

  /** The value whose memory a value has, and how many elements from its beginning. */
  #homeOf(value: number, positions: Entry["positions"]): { home: number; offset: number } {
    const { values } = this.#plan;
    let [home, offset] = [value, 0];
    for (let { place } = values[home]; place.kind === "part"; { place } = values[home]) {
      offset += partStart(place, place.repeat ? positions.get(place.repeat)! : 0);
      home = place.of;
    }
    return { home, offset };
  }

  /** Says where a value lies, in bytes. */
  place(value: number, address: number): void {
    for (const { word, offset } of this.#places.get(value) ?? []) this.#words[word] = address / 4 + offset;
    this.#isChanged = true;
  }

  placeScratch(address: number): void {
    for (const word of this.#scratchPlaces) this.#words[word] = address / 4;
    this.#isChanged = true;
  }

  /** Says how many outputs may be computed again, where that may take `most` operations. */
  repairUpTo(most: number): void {
    for (const { word, slot } of this.#repaired) {
      const outputs = mostRepaired(slot, most);
      if (this.#words[word] === outputs) continue;
      this.#words[word] = outputs;
      this.#isChanged = true;
    }
  }

  /** Sets the states of all draws, which are counted from `base`. */
  drawFrom(seed: bigint, base: number): void {
    if (this.#draws.length === 0) return;
    const start = firstState(seed);
    for (const { word, first } of this.#draws) {
      const [low, high] = jump(start, base + first);
      this.#words[word] = low;
      this.#words[word + 1] = high;
    }
    this.#isChanged = true;
  }

  /** Where a value lies in the heap, in words. */
  wordOf(value: number, positions: Entry["positions"]): number {
    const { home, offset } = this.#homeOf(value, positions);
    const [place] = this.#places.get(home)!;
    return this.#words[place.word] - place.offset + offset;
  }

  /** Hands the device what has changed. */
  upload(): void {
    if (this.#isChanged) this.#device.gpu.queue.writeBuffer(this.#buffer, 0, this.#words);
    this.#isChanged = false;
  }

  dispose(): void {
    for (const [{ length }, address] of this.#constants.splice(0)) this.#heap.free(address, 4 * length);
    this.#buffer.destroy();
  }
}
