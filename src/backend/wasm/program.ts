// A schedule as one WebAssembly module: a function a kernel stage, and `run`, which calls them in order. The module knows no addresses: it reads
// them from its bindings, so one module serves any buffers and any number of parts.
import type { FoldKernel, RandomKernel } from "../../../kernels/kernel.ts";
import type { Loops } from "../../schedule/loops.ts";
import type { Locals } from "../../schedule/places.ts";
import type { Division, Member } from "../../schedule/rows.ts";
import type { Schedule, ScheduledCopy, ScheduledMember } from "../../schedule/schedule.ts";
import { type Listed, signatureOf } from "../../schedule/signature.ts";
import { printPieces } from "./assemble.ts";
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
import { Context, type Entry, type KernelFunction, share, valueAddress } from "./context.ts";
import { printContiguousFold } from "./contiguous.ts";
import { printGather, printScatter, printZeros } from "./indexed.ts";
import { i32, memory } from "./instructions.ts";
import { scalarLanes, simdLanes } from "./lanes.ts";
import { printBlocks, printJoin } from "./longrow.ts";
import { printElements } from "./map.ts";
import { countLoop, limitCode } from "./nest.ts";
import { printPanels, printProduct } from "./product/product.ts";
import { printRandom } from "./random.ts";
import { barrierFunction } from "./runtime/barrier.ts";
import { bindings } from "./runtime/bindings.ts";
import { control } from "./runtime/control.ts";
import { printStridedFold } from "./strided.ts";

/** A module's bytes, and the lists that its functions read addresses from. */
export interface Program {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The lists of the bindings, one after another. */
  readonly lists: readonly Entry[];
}

/** A function of the program, and what it is called with. */
interface Stage {
  readonly fn: FunctionBuilder;
  /** Called once before the blocks of a group. */
  readonly prepare?: FunctionBuilder;
  /** Its function's list. */
  readonly list: readonly Entry[];
  /** Roughly, in elementary operations: small ones aren't shared out. */
  readonly work: number;
  /** The kernel's number where it may find a bad index, after which nothing more is run; else undefined. */
  readonly checks: number | undefined;
}

/** Stages that run block by block, each block through all of them; all parts finish a step before the next begins. */
interface Step {
  readonly stages: readonly Stage[];
  readonly blocks: number;
  readonly work: number;
  readonly checks: number | undefined;
}

/** Prints a schedule; `sharedMaximum`: shared memory's maximum in pages, left out for memory that isn't shared. */
export function printSchedule(schedule: Schedule, sharedMaximum?: number): Program {
  const { groups, copies, target } = schedule;
  const module = new ModuleBuilder({ sharedMaximum });
  const context = new Context(module, {
    lanes: target.lanes > 1 ? simdLanes : scalarLanes,
    single: scalarLanes,
    isShared: sharedMaximum !== undefined,
    panelBytes: schedule.panelBytes,
    localBytes: schedule.localBytes,
  });
  const known = new Map<string, readonly Omit<Stage, "list">[]>();
  const steps = groups.flatMap(({ members, division, locals, blocks, work }): Step[] => {
    const stages = members.flatMap((member) => {
      const { key, values } = signatureOf(member, division, locals);
      const made = known.get(key) ?? printMember(context, member, values, locals, division);
      known.set(key, made);
      const list = values.map((listed) => entryOf(listed, locals));
      return made.map((stage): Stage => ({ ...stage, list }));
    });
    if (!division) return stages.map(stepOf);
    return [{ stages, work, checks: undefined, blocks }];
  });
  copies.forEach((copy, i) => {
    const values = [copy.from, copy.output];
    const kernel = context.kernelFunction(`copy ${i}`, values);
    printCopy(copy, kernel);
    const list = values.map((value) => ({ value }));
    steps.push(stepOf({ fn: kernel.fn, list, work: copy.work, checks: undefined }));
  });
  printRun(context, steps, target.shareFrom);
  return {
    bytes: module.encode(),
    lists: steps.flatMap(({ stages }) => stages.flatMap(({ list }) => list)),
  };
}

function entryOf(listed: Listed, { places }: Locals): Entry {
  if (typeof listed !== "number") {
    const { draws, half } = listed;
    return { constant: half === "low" ? draws.firstDraw % 2 ** 32 : Math.floor(draws.firstDraw / 2 ** 32) };
  }
  const place = places.get(listed);
  return place ? { constant: place.offset } : { value: listed };
}

const stepOf = (stage: Stage): Step => ({ stages: [stage], blocks: 1, work: stage.work, checks: stage.checks });

/** `run(bindings, part, parts)` → a barrier's outcome: the steps in order, a barrier after each that others must see. Once paused, it goes on where it was. */
function printRun({ module, isShared, bytesBefore }: Context, steps: readonly Step[], shareFrom: number): void {
  const run = module.function("run", ["i32", "i32", "i32"], ["i32"], { exported: true });
  const [at, part, parts] = run.parameters as Local<"i32">[];
  const barrier = isShared ? barrierFunction(module) : undefined;
  const result = run.local("i32");
  const resume = run.local("i32");
  const home = i32.load(at.get, bindings.control);
  const [scratch, setScratch] = run.hold(
    i32.add(
      i32.add(i32.load(at.get, bindings.scratch), i32.const(bytesBefore)),
      i32.mul(part.get, i32.load(at.get, bindings.scratch + 4)),
    ),
  );
  const isSmall = ({ work }: Step) => work < shareFrom;
  let meetings = 0;
  const meet = (leave: Label): Code[] => {
    if (!barrier) return [];
    const number = i32.const(++meetings);
    return [branchIf(leave, result.tee(call<"i32">(barrier, home, part.get, parts.get, number, resume.get)))];
  };
  /** Leaves out what was done before the run was paused. */
  const unlessDone = (step: Code): Code => (barrier ? when(i32.leU(resume.get, i32.const(meetings)), [step]) : step);
  /** Whether a bad index was found up to this kernel: what a quicker part has found in a later one by now is for that one's meeting. */
  const refused = (number: number) =>
    i32.leU(i32.sub(i32.load(at.get, bindings.status), i32.const(1)), i32.const(number));
  let position = 0;
  const callAt = (place: number, fn: FunctionBuilder, of: Code<"i32">, count: Code<"i32">): Code =>
    call(fn, at.get, i32.add(at.get, i32.const(bindings.values + 4 * place)), scratch.get, of, count);
  const runStep = (step: Step): Code => {
    const { stages, blocks } = step;
    const places = stages.map(({ list }) => {
      position += list.length;
      return position - list.length;
    });
    if (stages.length > 1) {
      const border = (of: Code<"i32">) => i32.divU(i32.mul(i32.const(blocks), of), parts.get);
      const [begin, setBegin] = run.hold(isSmall(step) ? i32.const(0) : border(part.get));
      const [end, setEnd] = run.hold(isSmall(step) ? i32.const(blocks) : border(i32.add(part.get, i32.const(1))));
      const rounds = countLoop(run, begin, end, 1, (block) =>
        stages.map(({ fn }, i) => callAt(places[i], fn, block.get, i32.const(blocks))),
      );
      const prepared = stages.flatMap(({ prepare }, i) =>
        prepare ? [callAt(places[i], prepare, part.get, parts.get)] : [],
      );
      const first = prepared.length > 0 ? [when(i32.ltS(begin.get, end.get), prepared)] : [];
      const all = [setBegin, setEnd, ...first, ...rounds];
      return isSmall(step) ? when(i32.eqz(part.get), all) : sequence(...all);
    }
    const [{ fn }] = stages;
    const [place] = places;
    return isSmall(step)
      ? when(i32.eqz(part.get), [callAt(place, fn, i32.const(0), i32.const(1))])
      : callAt(place, fn, part.get, parts.get);
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
          const together = next && step.checks === undefined && isSmall(step) && isSmall(next);
          return [
            unlessDone(runStep(step)),
            ...(together || (!next && step.checks === undefined) ? [] : meet(failure)),
            ...(step.checks === undefined ? [] : [unlessDone(branchIf(leave, refused(step.checks)))]),
          ];
        }),
      ),
      // Also after an early end: nobody returns before all have read why.
      ...meet(failure),
    ]),
    result.get,
  );
}

function printMember(
  context: Context,
  member: ScheduledMember,
  values: readonly Listed[],
  locals: Locals,
  division: Division | undefined,
): Omit<Stage, "list">[] {
  const { number } = member;
  return member.loops.map((each) => {
    const target = context.kernelFunction(`${number} ${each.kind}`, values, locals, division);
    printLoops(context, member, each, target);
    const made = { fn: target.fn, work: each.work };
    if (each.kind === "gather" || each.kind === "scatter") return { ...made, checks: number };
    if (each.kind !== "product" || each.panels === undefined) return { ...made, checks: undefined };
    const panels = context.kernelFunction(`${number} panels`, values);
    printPanels(context, each, panels);
    return { ...made, checks: undefined, prepare: panels.fn };
  });
}

function printLoops(context: Context, { kernel, number }: Member, loops: Loops, target: KernelFunction): void {
  switch (loops.kind) {
    case "elements":
      printElements(context, loops, target);
      break;
    case "contiguous fold":
      printContiguousFold(context, kernel as FoldKernel, loops, target);
      break;
    case "blocks":
      printBlocks(context, kernel as FoldKernel, loops, target);
      break;
    case "join":
      printJoin(context, kernel as FoldKernel, loops, target);
      break;
    case "strided fold":
      printStridedFold(context, kernel as FoldKernel, loops, target);
      break;
    case "product":
      printProduct(context, loops, target);
      break;
    case "gather":
      printGather(context, number, loops, target);
      break;
    case "scatter":
      printScatter(context, number, loops, target);
      break;
    case "pieces":
      printPieces(context, loops, target);
      break;
    case "zeros":
      printZeros(kernel.output, loops, target);
      break;
    case "sampler":
      printRandom(context, kernel as RandomKernel, loops, target);
      break;
  }
}

/** Copies a value, unless both are one buffer. */
function printCopy({ from, output: to, parallel }: ScheduledCopy, target: KernelFunction): void {
  const { fn } = target;
  const [begin, end, limits] = share(target, parallel);
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
