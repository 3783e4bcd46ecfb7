// A plan as one WebAssembly module: a function a kernel stage, and `run`, which calls them in order. The module knows no addresses: it reads
// them from a table, so one module serves any buffers and any number of parts.
import type { Kernel } from "../../../kernels/kernel.ts";
import type { Plan } from "../../compile/plan.ts";
import { itemSize } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import {
  block,
  branchIf,
  type Code,
  call,
  type FunctionBuilder,
  type Target as Label,
  type Local,
  ModuleBuilder,
  sequence,
  when,
} from "./assembler.ts";
import { printColumns } from "./columns.ts";
import { Context, type KernelFunction, share, table, valueAddress } from "./context.ts";
import { barrierFunction, control } from "./control.ts";
import { operationCount } from "./expression.ts";
import { type Cut, groupKernels } from "./groups.ts";
import { printGather, printScatter, printZeros } from "./indexed.ts";
import { i32, memory } from "./instructions.ts";
import { scalarLanes, simdLanes } from "./lanes.ts";
import { printMap } from "./map.ts";
import { countLoop, limitCode } from "./nest.ts";
import { printRandom } from "./random.ts";
import { printRows } from "./rows.ts";
import { printMatmul } from "./schedules/matmul.ts";
import { signatureOf } from "./signature.ts";
import { transposeProducts } from "./transposed.ts";

/** What a module is made for. */
export interface Target {
  readonly simd: boolean;
  /** Shared memory's maximum in pages; left out for memory that isn't shared. */
  readonly sharedMaximum?: number;
  /** Work from which a stage is shared out, in elementary operations; less costs more in barriers than it gains. */
  readonly shareFrom: number;
}

/** A module's bytes, and how much scratch memory each part needs. */
export interface Program {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly scratchBytes: number;
  /** Whether anything in it is worth several parts. */
  readonly parallel: boolean;
  /** The lists of the table, one after another: the value whose address each word holds. */
  readonly addresses: readonly number[];
}

/** A function of the program, and what it is called with. */
interface Stage {
  readonly fn: FunctionBuilder;
  /** The values in its function's list. */
  readonly values: readonly number[];
  /** Roughly, in elementary operations: small ones aren't shared out. */
  readonly work: number;
  /** Whether it may find a bad index, after which nothing more is run. */
  readonly checks: boolean;
}

/** Stages that run block by block, each block through all of them; all parts finish a step before the next begins. */
interface Step {
  readonly stages: readonly Stage[];
  readonly blocks: number;
  readonly work: number;
  readonly checks: boolean;
}

/** Prints a plan. */
export function printPlan(plan: Plan, target: Target): Program {
  const module = new ModuleBuilder({ sharedMaximum: target.sharedMaximum });
  const context = new Context(module, target.simd ? simdLanes : scalarLanes, scalarLanes);
  const known = new Map<string, readonly Omit<Stage, "values">[]>();
  const steps = groupKernels(plan, transposeProducts(plan)).flatMap(({ members, cut, bytes }): Step[] => {
    const stages = members.flatMap(({ kernel, number }) => {
      const { key, values } = signatureOf(kernel, number, cut);
      const made = known.get(key) ?? printKernel(context, kernel, number, values, cut);
      known.set(key, made);
      return made.map((stage): Stage => ({ ...stage, values }));
    });
    if (!cut) return stages.map(stepOf);
    const work = stages.reduce((sum, stage) => sum + stage.work, 0);
    return [{ stages, work, checks: false, blocks: blockCount(cut, work, bytes, target) }];
  });
  plan.copies.forEach(({ from, output }, i) => {
    const values = [from, output];
    const kernel = context.kernelFunction(`copy ${i}`, values);
    const { size, dtype } = plan.values[from];
    printCopy(size * itemSize(dtype), from, output, kernel);
    steps.push(stepOf({ fn: kernel.fn, values, work: size / 4, checks: false }));
  });
  printRun(module, steps, target);
  return {
    bytes: module.encode(),
    scratchBytes: context.scratchBytes,
    parallel: steps.some(({ work }) => work >= target.shareFrom),
    addresses: steps.flatMap(({ stages }) => stages.flatMap(({ values }) => values)),
  };
}

const stepOf = (stage: Stage): Step => ({ stages: [stage], blocks: 1, work: stage.work, checks: stage.checks });

/** A block's memory should stay in the first cache, and its calls should cost little beside its work. */
function blockCount({ rows, grain }: Cut, work: number, bytes: number, { shareFrom }: Target): number {
  const wanted = Math.max(bytes / 32768, Math.min(64, work / Math.max(1, shareFrom)));
  return Math.max(1, Math.min(Math.ceil(rows / grain), Math.ceil(wanted)));
}

/** `run(table, part, parts)` → a barrier's outcome: the steps in order, a barrier after each that others must see. Once paused, it goes on where it was. */
function printRun(module: ModuleBuilder, steps: readonly Step[], target: Target): void {
  const run = module.function("run", ["i32", "i32", "i32"], ["i32"], { exported: true });
  const [at, part, parts] = run.parameters as Local<"i32">[];
  const barrier = target.sharedMaximum !== undefined ? barrierFunction(module) : undefined;
  const result = run.local("i32");
  const resume = run.local("i32");
  const home = i32.load(at.get, table.control);
  const [scratch, setScratch] = run.hold(
    i32.add(i32.load(at.get, table.scratch), i32.mul(part.get, i32.load(at.get, table.scratch + 4))),
  );
  const isSmall = ({ work }: Step) => work < target.shareFrom;
  let meetings = 0;
  const meet = (leave: Label): Code[] => {
    if (!barrier) return [];
    const number = i32.const(++meetings);
    return [branchIf(leave, result.tee(call<"i32">(barrier, home, part.get, parts.get, number, resume.get)))];
  };
  /** Leaves out what was done before the run was paused. */
  const unlessDone = (step: Code): Code => (barrier ? when(i32.leU(resume.get, i32.const(meetings)), [step]) : step);
  let position = 0;
  const callStage = ({ fn, values }: Stage, of: Code<"i32">, count: Code<"i32">): Code => {
    const list = i32.add(at.get, i32.const(table.values + 4 * position));
    position += values.length;
    return call(fn, at.get, list, scratch.get, of, count);
  };
  const runStep = (step: Step): Code => {
    const { stages, blocks } = step;
    if (stages.length > 1) {
      const border = (of: Code<"i32">) => i32.divU(i32.mul(i32.const(blocks), of), parts.get);
      const [begin, setBegin] = run.hold(isSmall(step) ? i32.const(0) : border(part.get));
      const [end, setEnd] = run.hold(isSmall(step) ? i32.const(blocks) : border(i32.add(part.get, i32.const(1))));
      const rounds = countLoop(run, begin, end, 1, (block) =>
        stages.map((stage) => callStage(stage, block.get, i32.const(blocks))),
      );
      const all = [setBegin, setEnd, ...rounds];
      return isSmall(step) ? when(i32.eqz(part.get), all) : sequence(...all);
    }
    const [stage] = stages;
    return isSmall(step)
      ? when(i32.eqz(part.get), [callStage(stage, i32.const(0), i32.const(1))])
      : callStage(stage, part.get, parts.get);
  };
  run.body(
    setScratch,
    ...(barrier
      ? [
          when(i32.eqz(part.get), [
            resume.set(i32.load(home, control.resume)),
            i32.store(home, i32.const(0), control.resume),
          ]),
        ]
      : []),
    block((failure) => [
      block((leave) =>
        steps.flatMap((step, i): Code[] => {
          const next = steps[i + 1];
          // Small ones, and those that follow one another, are the first part's alone.
          const together = next && !step.checks && isSmall(step) && isSmall(next);
          return [
            unlessDone(runStep(step)),
            ...(together || (!next && !step.checks) ? [] : meet(failure)),
            ...(step.checks ? [unlessDone(branchIf(leave, i32.load(at.get, table.status)))] : []),
          ];
        }),
      ),
      // Also after an early end: nobody returns before all have read why.
      ...meet(failure),
    ]),
    result.get,
  );
}

function printKernel(
  context: Context,
  kernel: Kernel,
  number: number,
  values: readonly number[],
  cut: Cut | undefined,
): Omit<Stage, "values">[] {
  const size = sizeOf(kernel.shape);
  const stage = (name: string, work: number, print: (target: KernelFunction) => void, checks = false) => {
    const target = context.kernelFunction(`${number} ${name}`, values);
    print(target);
    return { fn: target.fn, work, checks };
  };
  const zeros = () =>
    stage("zeros", size / 16, (target) => printZeros(kernel.output, size * itemSize(kernel.dtype), target));
  switch (kernel.kind) {
    case "map":
      return [
        stage("map", size * (1 + operationCount(kernel.body)), (target) => printMap(context, kernel, target, cut)),
      ];
    case "reduce": {
      const count = sizeOf(kernel.reduced);
      if (count === 0) return [zeros()];
      const print = kernel.order === "lanes" ? printRows : printColumns;
      const work = size * count * (1 + operationCount(kernel.body));
      return [stage(`reduce ${kernel.order}`, work, (target) => print(context, kernel, target, cut))];
    }
    case "matmul":
      if (kernel.depth === 0) return [zeros()];
      return [stage("matmul", size * kernel.depth, (target) => printMatmul(context, kernel, target))];
    case "gather":
      return [stage("gather", size, (target) => printGather(context, kernel, number, target), true)];
    case "scatter": {
      const work = sizeOf(kernel.updates.view.shape);
      return [zeros(), stage("scatter", work, (target) => printScatter(context, kernel, number, target), true)];
    }
    case "random":
      return [stage(kernel.sampler, 4 * size, (target) => printRandom(context, kernel, target, cut))];
  }
}

/** Copies a value, unless both are one buffer. */
function printCopy(bytes: number, from: number, to: number, target: KernelFunction): void {
  const { fn } = target;
  const [begin, end, limits] = share(target, bytes, 64);
  const [source, setSource] = fn.hold(valueAddress(target, from));
  const [goal, setGoal] = fn.hold(valueAddress(target, to));
  const place = (base: Local<"i32">) => i32.add(base.get, limitCode(begin));
  fn.body(
    setSource,
    setGoal,
    when(i32.ne(source.get, goal.get), [
      ...limits,
      memory.copy(place(goal), place(source), i32.sub(limitCode(end), limitCode(begin))),
    ]),
  );
}
