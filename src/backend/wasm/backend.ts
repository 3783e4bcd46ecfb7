// The wasm backend: emits a module a plan, owns one memory, and runs a plan in one call. Same bits as reference, by construction: every
// operation WebAssembly has is the one IEEE 754 operation, and the orders of sums are the written ones.
import { isFold } from "../../../kernels/kernel.ts";
import type { Backend, Executable } from "../../compile/contract.ts";
import type { Plan } from "../../compile/plan.ts";
import type { Target } from "../../compile/target.ts";
import type { DType } from "../../core/dtype.ts";
import { BackendError, refuse } from "../../core/errors.ts";
import { importing } from "../../core/lazy.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { schedulePlan } from "../../schedule/schedule.ts";
import { Workspace } from "../blocks.ts";
import { addressedMemory } from "../memory.ts";
import { printSchedule } from "./emit/program.ts";
import { wasmExecutable } from "./executable.ts";
import { probe } from "./probe.ts";
import { Memory, maximumPages } from "./runtime/memory.ts";

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
  const {
    threads: wish = 1,
    simd = found.simd,
    vectorWidth = 4,
    isChecked = false,
    shareFrom = 4096,
    patience,
  } = options;
  if (simd && !found.simd) {
    const hint = "leave simd out: the scalar path gives the same bits";
    refuse(BackendError, "wasm", "SIMD was asked for and can't be used here", found.reason, undefined, hint);
  }
  const forSeveral = wish === 1 ? undefined : await import("./runtime/threads.ts");
  const threads = forSeveral?.threadCount(wish) ?? 1;
  const several = threads > 1 ? forSeveral : undefined;
  const memory = new Memory({ shared: several !== undefined });
  const pool = several && new several.Pool(memory, threads, { patience });
  const sharing = several && { maximum: maximumPages, phasePrinter: several.phasePrinter };
  const home = { memory, workspace: new Workspace(memory), pool };
  const target: Target = {
    groups: true,
    words: false,
    lanes: simd ? 4 : 1,
    vectorWidth: simd ? vectorWidth : 1,
    threads,
    shareFrom,
    firstCache: 16 * 1024,
    secondCache: 512 * 1024,
  };
  const check = () => pool?.check();
  const buffers = addressedMemory("wasm", memory, check);

  const loadFor = async (plan: Plan, own: Target): Promise<Executable> => {
    check();
    for (const { dtype, shape } of plan.values) checkSize("a tensor is too large", dtype, shape);
    for (const kernel of plan.kernels) {
      if (isFold(kernel)) checkSize("a reduction is over too many elements", kernel.dtype, kernel.fold.reduced);
      if (kernel.kind !== "loop")
        for (const { dtype, view } of kernel.inputs) checkSize("a kernel reads too many elements", dtype, view.shape);
    }
    const schedule = await importing(() => schedulePlan(plan, own));
    return wasmExecutable(schedule, await importing(() => printSchedule(schedule, sharing)), home);
  };

  await pool?.start();
  return {
    name: "wasm",
    class: "A",
    threads,
    target,
    ...buffers,
    allocate(dtype, size) {
      checkSize("a tensor is too large", dtype, [size]);
      return buffers.allocate(dtype, size);
    },
    async load(plan) {
      const executable = await loadFor(plan, target);
      if (!isChecked || plan.state.length === 0) return executable;
      const { checkedExecutable } = await import("./checked.ts");
      return checkedExecutable(executable, buffers, (other, width) =>
        loadFor(other, { ...target, vectorWidth: width }),
      );
    },
    dispose: () => pool?.stop(),
  };
}

/** What kernels walk has fewer elements, so that four bytes for each are counted in 31 bits, whatever the dtype. */
const mostElements = 2 ** 29;

function checkSize(problem: string, dtype: DType, shape: Shape): void {
  if (sizeOf(shape) < mostElements) return;
  const expected = "fewer than 2^29 elements";
  const hint = "a smaller batch, or accumulate gradients over several; or the backend reference";
  refuse(BackendError, "wasm", problem, `${sizeOf(shape)} elements, ${dtype} [${shape.join(", ")}]`, expected, hint);
}
