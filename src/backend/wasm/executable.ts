// A plan that the wasm backend has made ready: its bindings and constants in the backend's memory, and its runs.

import { kernelIndices } from "../../../kernels/kinds.ts";
import { OutOfRange } from "../../../kernels/range.ts";
import type { Buffer, Executable, Run } from "../../compile/contract.ts";
import type { Plan } from "../../compile/plan.ts";
import { itemSize } from "../../core/dtype.ts";
import { BackendError } from "../../core/errors.ts";
import { firstState } from "../../rng/state.ts";
import { align } from "../../schedule/places.ts";
import type { Schedule } from "../../schedule/schedule.ts";
import type { DrawWord } from "../../schedule/signature.ts";
import type { Workspace } from "../blocks.ts";
import type { Program } from "./emit/program.ts";
import { bindings, bindingsBytes } from "./runtime/bindings.ts";
import type { Memory } from "./runtime/memory.ts";
import { outcome } from "./runtime/outcome.ts";
import type { Pool } from "./runtime/pool.ts";

/** Of one memory. */
export interface WasmBuffer extends Buffer {
  readonly owner: Memory;
  /** −1 once it is freed. */
  address: number;
}

/** What a backend's executables share. */
export interface Home {
  readonly memory: Memory;
  readonly workspace: Workspace;
  readonly pool: Pool | undefined;
}

export type RunFunction = (
  bindings: number,
  control: number,
  part: number,
  parts: number,
  firstPhase: number,
) => number;

/** Where a buffer lies. Throws BackendError if it isn't of this memory, or was freed. */
export function addressOf(memory: Memory, buffer: Buffer): number {
  const { address, owner } = buffer as WasmBuffer;
  if (owner !== memory) throw new BackendError({ where: "wasm", problem: "a buffer of another backend" });
  if (address < 0) throw new BackendError({ where: "wasm", problem: "a buffer was used after it was freed" });
  return address;
}

const drawWord = ({ draws: { firstDraw }, half }: DrawWord) =>
  half === "low" ? firstDraw % 2 ** 32 : Math.floor(firstDraw / 2 ** 32);

export class WasmExecutable implements Executable {
  readonly plan: Plan;
  readonly scratchBytes: number;
  readonly #schedule: Schedule;
  readonly #memory: Memory;
  readonly #run: RunFunction;
  readonly #bindings: number;
  readonly #workspace: Workspace;
  /** Of the arena, and of each part's scratch memory behind it. */
  readonly #workspaceBytes: number;
  /** Where the bindings say that the workspace is. */
  #workspaceAt = -1;
  readonly #blocks: [number, number][] = [];
  /** Where in the bindings each value's address stands, or one so many bytes into it. */
  readonly #places = new Map<number, { readonly at: number; readonly offset: number }[]>();
  /** Addresses of inputs, then outputs, as they are in the bindings. */
  readonly #bound: number[];
  readonly #pool: Pool | undefined;
  readonly #parallel: boolean;
  /** What the pool calls the program, once it has it. */
  #id = 0;
  /** Of the latest run. */
  #firstPhase = 0;
  #seed: bigint | undefined;

  constructor(schedule: Schedule, program: Program, run: RunFunction, { memory, workspace, pool }: Home) {
    const { plan } = schedule;
    this.plan = plan;
    this.#schedule = schedule;
    this.#memory = memory;
    this.#run = run;
    this.#pool = pool;
    this.#parallel = pool !== undefined && schedule.isParallel;
    const threadBytes = schedule.localBytes + schedule.panelBytes + schedule.scratchBytes + align(program.listBytes);
    const block = (bytes: number): number => {
      const address = memory.allocate(bytes);
      this.#blocks.push([address, bytes]);
      return address;
    };
    this.#bindings = block(bindingsBytes(program.lists.length));
    this.#workspace = workspace;
    this.scratchBytes = threadBytes * (this.#parallel ? pool!.parts : 1);
    this.#workspaceBytes = schedule.arenaBytes + this.scratchBytes;
    const constants: [number, number][] = [];
    program.lists.forEach((entry, i) => {
      const at = this.#bindings + bindings.values + 4 * i;
      if ("constant" in entry) constants.push([at, entry.constant]);
      else if ("draws" in entry) constants.push([at, drawWord(entry)]);
      else this.#places.set(entry.value, [...(this.#places.get(entry.value) ?? []), { at, offset: entry.offset }]);
    });
    try {
      plan.values.forEach(({ place, dtype, size }, value) => {
        if (place.kind !== "constant") return;
        const address = block(size * itemSize(dtype));
        memory.write(dtype, address, place.data);
        this.#place(value, address);
      });
    } catch (error) {
      this.dispose();
      throw error;
    }
    const { view } = memory;
    view.setUint32(this.#bindings + bindings.scratch + 4, threadBytes, true);
    for (const [at, constant] of constants) view.setUint32(at, constant, true);
    this.#bound = [...plan.inputs, ...plan.outputs].map(() => 0);
  }

  /** Gives the pool's workers the program, if it has work for them. */
  async share(module: WebAssembly.Module): Promise<void> {
    if (this.#parallel) this.#id = await this.#pool!.add(module, this.#bindings);
  }

  get sources(): Executable["sources"] {
    return this.plan.kernels.map((_, kernel) => ({ kernel, where: "wasm" }));
  }

  run(run: Run): void | Promise<void> {
    const pool = this.#pool;
    pool?.check();
    if (pool?.isBusy) return pool.turn(() => this.#wait(this.#start(run)));
    const left = this.#start(run);
    if (left === outcome.done) this.#checkIndices();
    else return pool!.turn(() => this.#wait(left));
  }

  #start({ inputs, outputs, seed, base }: Run): number {
    this.#settle();
    this.#bind(this.plan.inputs, inputs, 0);
    this.#bind(this.plan.outputs, outputs, inputs.length);
    const { view } = this.#memory;
    if (this.plan.draws > 0 || this.#seed !== seed) this.#setStream(view, seed, base);
    view.setInt32(this.#bindings + bindings.status, 0, true);
    this.#begin(this.#parallel ? this.#id : undefined);
    return this.#part();
  }

  #begin(id: number | undefined): void {
    if (this.#pool) this.#firstPhase = this.#pool.begin(id);
  }

  /** This thread's part of the run. Throws BackendError if it ends in a trap. */
  #part(): number {
    const { control, parts } = this.#pool ?? { control: 0, parts: 1 };
    try {
      return this.#run(this.#bindings, control, 0, parts, this.#firstPhase);
    } catch (cause) {
      if (this.#parallel) this.#pool!.trapped(cause);
      throw new BackendError({
        where: "wasm",
        problem: "a run ended in a trap, and what it was to write is half-written",
        got: String(cause),
        hint: "load the last checkpoint",
        cause,
      });
    }
  }

  /** Tells the bindings where the workspace is. */
  #settle(): void {
    const at = this.#workspace.reserve(this.#workspaceBytes);
    if (at === this.#workspaceAt) return;
    this.#workspaceAt = at;
    const { offsets, arenaBytes } = this.#schedule;
    for (const [value, offset] of offsets) this.#place(value, at + offset);
    this.#memory.view.setUint32(this.#bindings + bindings.scratch, at + arenaBytes, true);
  }

  /** What follows when this thread has done its part: while others have yet to do theirs, events may come. */
  async #wait(left: number): Promise<void> {
    const pool = this.#pool!;
    while (left === outcome.paused) {
      await pool.look();
      left = this.#part();
    }
    if (left !== outcome.done) await pool.fail();
    this.#checkIndices();
  }

  #checkIndices(): void {
    const { view } = this.#memory;
    const status = () => view.getInt32(this.#bindings + bindings.status, true);
    if (status() === 0) return;
    // Of several that were found the quickest thread's is told of: again on this one alone, which finds the first. No state has been written yet.
    if (this.#parallel) {
      view.setInt32(this.#bindings + bindings.status, 0, true);
      this.#begin(undefined);
      this.#part();
    }
    this.#refuse(status() - 1, view.getInt32(this.#bindings + bindings.badIndex, true));
  }

  #bind(ports: Plan["inputs"], buffers: readonly Buffer[], from: number): void {
    for (let i = 0; i < ports.length; i++) {
      const address = addressOf(this.#memory, buffers[i]);
      if (this.#bound[from + i] === address) continue;
      this.#bound[from + i] = address;
      this.#place(ports[i].value, address);
    }
  }

  #place(value: number, address: number): void {
    for (const { at, offset } of this.#places.get(value) ?? []) this.#memory.view.setUint32(at, address + offset, true);
  }

  #setStream(view: DataView, seed: bigint, base: number): void {
    if (this.#seed !== seed) {
      const [stateLow, stateHigh, incrementLow, incrementHigh] = firstState(seed);
      this.#seed = seed;
      [stateLow, stateHigh, incrementLow, incrementHigh].forEach((word, i) => {
        view.setUint32(this.#bindings + bindings.state + 4 * i, word, true);
      });
    }
    view.setUint32(this.#bindings + bindings.base, base % 2 ** 32, true);
    view.setUint32(this.#bindings + bindings.base + 4, Math.floor(base / 2 ** 32), true);
  }

  #refuse(number: number, index: number): never {
    throw new OutOfRange(String(index), kernelIndices(this.plan.kernels[number])[0].extent);
  }

  dispose(): void {
    if (this.#id > 0) this.#pool!.forget(this.#id);
    for (const [address, bytes] of this.#blocks.splice(0)) this.#memory.free(address, bytes);
  }
}
