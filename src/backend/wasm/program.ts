// A schedule as one WebAssembly module: one function per loop nest, and `run`, which calls them phase by phase. The module knows no addresses: it reads
// them from its bindings, so one module serves any buffers and any number of parts.
import type { FoldKernel } from "../../../kernels/kernel.ts";
import type { RandomKernel } from "../../../kernels/sampler.ts";
import type { Loops } from "../../schedule/loops.ts";
import type { Call, ScheduledCopy, ScheduledMember } from "../../schedule/phases.ts";
import type { Locals } from "../../schedule/places.ts";
import type { Division, Member } from "../../schedule/rows.ts";
import type { Schedule } from "../../schedule/schedule.ts";
import { type Listed, signatureOf } from "../../schedule/signature.ts";
import { printPieces } from "./assemble.ts";
import {
  block,
  branchIf,
  type Code,
  call,
  type FunctionBuilder,
  type Local,
  ModuleBuilder,
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
import { bindings } from "./runtime/bindings.ts";
import { PhasePrinter } from "./runtime/chunks.ts";
import { outcome } from "./runtime/control.ts";
import { printStridedFold } from "./strided.ts";

/** A module's bytes, and the lists that its functions read addresses from. */
export interface Program {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The lists of the bindings, one after another. */
  readonly lists: readonly Entry[];
}

/** A function of the program, and what it is called with. */
interface Printed {
  readonly fn: FunctionBuilder;
  /** Called once by a thread before its first chunk of a phase; in a phase of one chunk right before the function, since what it packs may be made there. */
  readonly prepare?: FunctionBuilder;
  /** Its function's list. */
  readonly list: readonly Entry[];
}

/** A phase and its functions. */
interface PrintedPhase {
  readonly chunks: number;
  readonly checks: boolean;
  readonly functions: readonly Printed[];
}

/** Prints a schedule; `sharedMaximum`: shared memory's maximum in pages, left out for memory that isn't shared. */
export function printSchedule(schedule: Schedule, sharedMaximum?: number): Program {
  const { target } = schedule;
  const module = new ModuleBuilder({ sharedMaximum });
  const context = new Context(module, {
    lanes: target.lanes > 1 ? simdLanes : scalarLanes,
    single: scalarLanes,
    isShared: sharedMaximum !== undefined,
    panelBytes: schedule.panelBytes,
    localBytes: schedule.localBytes,
  });
  const known = new Map<string, readonly Omit<Printed, "list">[]>();
  const print = (call: Call): Printed => {
    if (call.kind === "copy") return printCopy(context, call.copy);
    const { member, group } = call;
    const { division, locals } = group;
    const { key, values } = signatureOf(member, division, locals);
    const made = known.get(key) ?? printMember(context, member, values, locals, division);
    known.set(key, made);
    return { ...made[member.loops.indexOf(call.loops)], list: values.map((listed) => entryOf(listed, locals)) };
  };
  const phases = schedule.phases.map(
    ({ chunks, checks, calls }): PrintedPhase => ({ chunks, checks, functions: calls.map(print) }),
  );
  printRun(context, phases);
  return {
    bytes: module.encode(),
    lists: phases.flatMap(({ functions }) => functions.flatMap(({ list }) => list)),
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

/** `run(bindings, control, part, parts, first phase)` → an outcome: the phases in order. Called again after a pause, it continues where the run is. */
function printRun({ module, isShared, bytesBefore }: Context, phases: readonly PrintedPhase[]): void {
  const run = module.function("run", ["i32", "i32", "i32", "i32", "i32"], ["i32"], { exported: true });
  const [at, home, part, parts, first] = run.parameters as Local<"i32">[];
  const scratch = run.local("i32");
  const setScratch = scratch.set(
    i32.add(
      i32.add(i32.load(at.get, bindings.scratch), i32.const(bytesBefore)),
      i32.mul(part.get, i32.load(at.get, bindings.scratch + 4)),
    ),
  );
  let position = 0;
  const calls = ({ functions, chunks }: PrintedPhase) => {
    const all = functions.map(({ fn, prepare, list }) => {
      const values = i32.add(at.get, i32.const(bindings.values + 4 * position));
      position += list.length;
      const callOf = (called: FunctionBuilder) => (chunk: Code<"i32">) =>
        call(called, at.get, values, scratch.get, chunk, i32.const(chunks));
      return { before: prepare && callOf(prepare)(i32.const(0)), each: callOf(fn) };
    });
    const first = (inside: boolean) => (before: Code | undefined) =>
      before && inside === (chunks === 1) ? [before] : [];
    const [outside, within] = [first(false), first(true)];
    return {
      before: [setScratch, ...all.flatMap(({ before }) => outside(before))],
      each: (chunk: Local<"i32">) => all.flatMap(({ before, each }) => [...within(before), each(chunk.get)]),
    };
  };
  if (!isShared) {
    const status = i32.load(at.get, bindings.status);
    run.body(
      block((leave) =>
        phases.flatMap((phase): Code[] => {
          const { before, each } = calls(phase);
          const checked = phase.checks ? [branchIf(leave, status)] : [];
          return [...before, ...countLoop(run, 0, phase.chunks, 1, each), ...checked];
        }),
      ),
      i32.const(outcome.done),
    );
    return;
  }
  const thread = { control: home, part, parts, first, status: i32.add(at.get, i32.const(bindings.status)) };
  const printer = new PhasePrinter(module, run, thread);
  run.body(
    block((leave) =>
      phases.map((phase, number): Code => {
        const { chunks, checks } = phase;
        // After a bad index nothing more is run.
        return printer.print(leave, { ...calls(phase), chunks, skips: checks ? phases.length - number : 1 });
      }),
    ),
    printer.outcome,
  );
}

function printMember(
  context: Context,
  member: ScheduledMember,
  values: readonly Listed[],
  locals: Locals,
  division: Division | undefined,
): Omit<Printed, "list">[] {
  const { number } = member;
  return member.loops.map((each) => {
    const target = context.kernelFunction(`${number} ${each.kind}`, values, locals, division);
    printLoops(context, member, each, target);
    if (each.kind !== "product" || each.panels === undefined) return { fn: target.fn };
    const panels = context.kernelFunction(`${number} panels`, values);
    printPanels(context, each, panels);
    return { fn: target.fn, prepare: panels.fn };
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
function printCopy(context: Context, { from, output: to, parallel }: ScheduledCopy): Printed {
  const values = [from, to];
  const target = context.kernelFunction(`copy ${to}`, values);
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
  return { fn, list: values.map((value) => ({ value })) };
}
