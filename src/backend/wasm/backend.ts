// The wasm backend: emits a module a plan, owns one memory, and runs a plan in one call. Same bits as reference, by construction: every
// operation WebAssembly has is the one IEEE 754 operation, and the orders of sums are the written ones.
import { isFold } from "../../../kernels/kernel.ts";
import type { Backend, Buffer, Executable } from "../../compile/contract.ts";
import type { Plan } from "../../compile/plan.ts";
import type { Target } from "../../compile/target.ts";
import { type DType, itemSize, type TypedArray } from "../../core/dtype.ts";
import { BackendError } from "../../core/errors.ts";
import { importing } from "../../core/lazy.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { schedulePlan } from "../../schedule/schedule.ts";
import { Workspace } from "../blocks.ts";
import { printSchedule } from "./emit/program.ts";
import type { Sharing } from "./emit/run.ts";
import { addressOf, type RunFunction, type WasmBuffer, WasmExecutable } from "./executable.ts";
import { probe } from "./probe.ts";
import { Memory, maximumPages } from "./runtime/memory.ts";
import type { Pool } from "./runtime/pool.ts";

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
  const { threads = 1 } = options;
  const several = threads === 1 ? undefined : await import("./runtime/threads.ts");
  const count = several?.threadCount(threads) ?? 1;
  const backend = new WasmBackend({ simd: found.simd, ...options }, count, count > 1 ? several : undefined);
  await backend.start();
  return backend;
}

/** What several threads need. */
type Threads = typeof import("./runtime/threads.ts");

class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly class = "A";
  readonly threads: number;
  readonly #memory: Memory;
  readonly #workspace: Workspace;
  readonly target: Target;
  readonly #pool: Pool | undefined;
  readonly #sharing: Sharing | undefined;
  readonly #isChecked: boolean;

  constructor(
    { simd, vectorWidth = 4, isChecked = false, shareFrom = 4096, patience }: WasmOptions,
    threads: number,
    several: Threads | undefined,
  ) {
    const shared = several !== undefined;
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
    this.#pool = several && new several.Pool(this.#memory, threads, { patience });
    this.#sharing = several && { maximum: maximumPages, PhasePrinter: several.PhasePrinter };
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
    const { CheckedExecutable } = await import("./checked.ts");
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
    const schedule = await importing(() => schedulePlan(plan, target));
    const program = await importing(() => printSchedule(schedule, this.#sharing));
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
