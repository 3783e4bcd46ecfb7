// The wasm backend: emits a module a plan, owns one memory, and runs a plan in one call. Same bits as reference, by construction: every
// operation WebAssembly has is the one IEEE 754 operation, and the orders of sums are the written ones.
import { outOfRange } from "../../../kernels/indexed.ts";
import { isFold } from "../../../kernels/kernel.ts";
import { kernelIndices } from "../../../kernels/kinds.ts";
import type { Backend, Buffer, Executable, Run } from "../../compile/contract.ts";
import type { Plan } from "../../compile/plan.ts";
import type { Target } from "../../compile/target.ts";
import { type DType, itemSize, type TypedArray } from "../../core/dtype.ts";
import { BackendError } from "../../core/errors.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { firstState } from "../../rng/stream.ts";
import { align } from "../../schedule/places.ts";
import { type Schedule, schedulePlan } from "../../schedule/schedule.ts";
import type { DrawWord } from "../../schedule/signature.ts";
import { CheckedExecutable } from "./checked.ts";
import { type Program, printSchedule } from "./emit/program.ts";
import { probe } from "./probe.ts";
import { bindings, bindingsBytes } from "./runtime/bindings.ts";
import { outcome } from "./runtime/control.ts";
import { Memory, maximumPages, Workspace } from "./runtime/memory.ts";
import { Pool, threadCount } from "./runtime/pool.ts";

export interface WasmOptions {
  /** 1 if left out; "all": as many as the machine runs at once. */
  readonly threads?: number | "all";
  /** False: without SIMD. Left out: with it where a probe shows that it is there and keeps subnormals. */
  readonly simd?: boolean;
  /** Elements that neighbouring vectors compute together (4): 8 suits engines that run two of them as one. Moves no bits. */
  readonly vectorWidth?: 4 | 8;
  /** Whether programs that update state at vectors of 8 are held against vectors of 4, twice. */
  readonly isChecked?: boolean;
  /** Milliseconds of waiting for a thread after which events may come (250). Moves no bits; tests set 0. */
  readonly patience?: number;
  /** Work from which a kernel is shared out among threads, in elementary operations. Moves no bits; tests set 0. */
  readonly shareFrom?: number;
}

interface WasmBuffer extends Buffer {
  readonly owner: Memory;
  /** −1 once it is freed. */
  address: number;
}

/** Makes the backend. Throws BackendError where WebAssembly isn't available, or SIMD was asked for and isn't sound. */
export async function wasmBackend(options: WasmOptions = {}): Promise<Backend> {
  const found = probe();
  if (options.simd && !found.simd) {
    throw new BackendError({
      where: "wasm",
      problem: "SIMD was asked for and can't be used here",
      got: found.reason,
      hint: "leave simd out: the scalar path gives the same bits",
    });
  }
  const backend = new WasmBackend({ simd: found.simd, ...options }, threadCount(options.threads));
  await backend.start();
  return backend;
}

class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly class = "A";
  readonly threads: number;
  readonly #memory: Memory;
  readonly #workspace: Workspace;
  readonly target: Target;
  readonly #pool: Pool | undefined;
  readonly #isChecked: boolean;

  constructor({ simd, vectorWidth = 4, isChecked = false, shareFrom = 4096, patience }: WasmOptions, threads: number) {
    const shared = threads > 1;
    this.#isChecked = isChecked;
    this.threads = threads;
    this.#memory = new Memory({ shared });
    this.#workspace = new Workspace(this.#memory);
    this.target = {
      groups: true,
      words: false,
      lanes: simd ? 4 : 1,
      vectorWidth: simd ? vectorWidth : 1,
      threads,
      shareFrom,
      firstCache: 16 * 1024,
      secondCache: 512 * 1024,
    };
    this.#pool = shared ? new Pool(this.#memory, threads, { patience }) : undefined;
  }

  async start(): Promise<void> {
    await this.#pool?.start();
  }

  allocate(dtype: DType, size: number): Buffer {
    this.#pool?.check();
    checkSize("a tensor is too large", dtype, [size]);
    const address = this.#memory.allocate(size * itemSize(dtype));
    return { dtype, size, owner: this.#memory, address } as WasmBuffer;
  }

  write(buffer: Buffer, data: TypedArray): void {
    this.#pool?.check();
    if (data.length !== buffer.size) {
      throw new BackendError({
        where: "wasm.write",
        problem: "sizes differ",
        got: String(data.length),
        expected: String(buffer.size),
      });
    }
    this.#memory.write(buffer.dtype, addressOf(this.#memory, buffer), data);
  }

  async read(buffer: Buffer): Promise<TypedArray> {
    this.#pool?.check();
    return this.#memory.read(buffer.dtype, addressOf(this.#memory, buffer), buffer.size);
  }

  free(buffer: Buffer): void {
    const address = addressOf(this.#memory, buffer);
    (buffer as WasmBuffer).address = -1;
    this.#memory.free(address, buffer.size * itemSize(buffer.dtype));
  }

  async load(plan: Plan): Promise<Executable> {
    const executable = await this.#load(plan, this.target);
    if (!this.#isChecked || plan.state.length === 0) return executable;
    return new CheckedExecutable(executable, this, (other, vectorWidth) => {
      return this.#load(other, { ...this.target, vectorWidth });
    });
  }

  async #load(plan: Plan, target: Target): Promise<Executable> {
    this.#pool?.check();
    for (const { dtype, shape } of plan.values) checkSize("a tensor is too large", dtype, shape);
    for (const kernel of plan.kernels) {
      if (isFold(kernel)) checkSize("a reduction is over too many elements", kernel.dtype, kernel.fold.reduced);
      if (kernel.kind !== "loop")
        for (const { dtype, view } of kernel.inputs) checkSize("a kernel reads too many elements", dtype, view.shape);
    }
    const schedule = schedulePlan(plan, target);
    const program = printSchedule(schedule, this.#memory.shared ? maximumPages : undefined);
    const module = await WebAssembly.compile(program.bytes);
    const { exports } = await WebAssembly.instantiate(module, { environment: { memory: this.#memory.memory } });
    const home = { memory: this.#memory, workspace: this.#workspace, pool: this.#pool };
    const executable = new WasmExecutable(schedule, program, exports.run as RunFunction, home);
    try {
      await executable.share(module);
    } catch (error) {
      executable.dispose();
      throw error;
    }
    return executable;
  }

  dispose(): void {
    this.#pool?.stop();
  }
}

/** What kernels walk has fewer elements, so that four bytes for each are counted in 31 bits, whatever the dtype. */
const mostElements = 2 ** 29;

function checkSize(problem: string, dtype: DType, shape: Shape): void {
  if (sizeOf(shape) < mostElements) return;
  throw new BackendError({
    where: "wasm",
    problem,
    got: `${sizeOf(shape)} elements, ${dtype} [${shape.join(", ")}]`,
    expected: "fewer than 2^29 elements",
    hint: "a smaller batch, or accumulate gradients over several; or the backend reference",
  });
}

/** What a backend's executables share. */
interface Home {
  readonly memory: Memory;
  readonly workspace: Workspace;
  readonly pool: Pool | undefined;
}

type RunFunction = (bindings: number, control: number, part: number, parts: number, firstPhase: number) => number;

function addressOf(memory: Memory, buffer: Buffer): number {
  const { address, owner } = buffer as WasmBuffer;
  if (owner !== memory) throw new BackendError({ where: "wasm", problem: "a buffer of another backend" });
  if (address < 0) throw new BackendError({ where: "wasm", problem: "a buffer was used after it was freed" });
  return address;
}

const drawWord = ({ draws: { firstDraw }, half }: DrawWord) =>
  half === "low" ? firstDraw % 2 ** 32 : Math.floor(firstDraw / 2 ** 32);

class WasmExecutable implements Executable {
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
    throw outOfRange(String(index), kernelIndices(this.plan.kernels[number])[0]);
  }

  dispose(): void {
    if (this.#id > 0) this.#pool!.forget(this.#id);
    for (const [address, bytes] of this.#blocks.splice(0)) this.#memory.free(address, bytes);
  }
}
