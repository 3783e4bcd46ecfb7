// A schedule as one WebAssembly module: one function per loop nest, and `run`, which calls them phase by phase. The module knows no addresses: it reads
// them from its bindings, so one module serves any buffers and any number of parts.
import { elementBytes } from "../../../../kernels/kernel.ts";
import type { Plan } from "../../../compile/plan.ts";
import type { Target } from "../../../compile/target.ts";
import { LazyModule } from "../../../core/lazy.ts";
import { remembered } from "../../../core/remembered.ts";
import type { Loops, ZeroLoops } from "../../../schedule/loops.ts";
import type { Call } from "../../../schedule/phases.ts";
import type { Locals } from "../../../schedule/places.ts";
import type { Schedule } from "../../../schedule/schedule.ts";
import { type Listed, signatureOf } from "../../../schedule/signature.ts";
import { i32, ModuleBuilder, memory } from "../assembler/assembler.ts";
import { hasRelaxedChoice } from "../probe.ts";
import { printColumns } from "./columns.ts";
import {
  type Context,
  type Entry,
  type KernelFunction,
  kernelFunction,
  type Motion,
  share,
  type Told,
  valueAddress,
} from "./context.ts";
import { printFold } from "./folds.ts";
import { type Lanes, pairedLanes, scalarLanes, simdLanes } from "./lanes.ts";
import { printElements } from "./map.ts";
import { printPanels, printProduct } from "./product/blocks.ts";
import { type Lists, type Printed, printRun, type Sharing } from "./run.ts";

/** A module's bytes, and the lists that its functions read addresses from. */
export interface Program extends Lists {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Prints a schedule; `sharing`: left out for memory that isn't shared. */
export function printSchedule(schedule: Schedule, sharing?: Sharing): Program {
  const { target } = schedule;
  const module = new ModuleBuilder({ sharedMaximum: sharing?.maximum });
  const context: Context = {
    module,
    lanes: lanesOf(target),
    single: scalarLanes,
    panelBytes: schedule.panelBytes,
    localBytes: schedule.localBytes,
  };
  const known = new Map<string, readonly Omit<Printed, "list">[]>();
  const print = (call: Call): Printed => {
    const { member, group } = call;
    const { division, locals } = group;
    const { key, listed } = signatureOf(member, division, locals);
    const made = remembered(known, key, () =>
      printMember(context, member.loops, { ...member, listed, locals, division }),
    );
    const list = listed.map((each) => entryOf(each, locals, schedule.plan));
    return { ...made[member.loops.indexOf(call.loops)], list };
  };
  const printed = new Map(schedule.phases.flatMap(({ calls }) => calls.map((call) => [call, print(call)] as const)));
  const lists = printRun(context, schedule, printed, sharing);
  return { bytes: module.encode(), ...lists };
}

function lanesOf({ lanes, vectorWidth }: Target): Lanes {
  if (lanes === 1) return scalarLanes;
  return vectorWidth === 8 && hasRelaxedChoice() ? pairedLanes : simdLanes;
}

/** An entry of a function's list. */
function entryOf(listed: Listed, { places }: Locals, { values }: Plan): Entry {
  if (typeof listed !== "number") return listed;
  const place = places.get(listed);
  if (place) return { constant: place.offset };
  let [value, offset] = [listed, 0];
  const motions: Motion[] = [];
  for (let part = values[value].place; part.kind === "part"; part = values[value].place) {
    const bytes = elementBytes(values[value]);
    offset += part.start * bytes;
    if (part.repeat)
      motions.push({ repeat: part.repeat, bytes: part.step * bytes, shift: part.shift, slots: part.slots });
    value = part.of;
  }
  return { value, offset, motions };
}

function printMember(context: Context, loops: readonly Loops[], told: Told): Omit<Printed, "list">[] {
  const { number } = told;
  return loops.map((each) => {
    const target = kernelFunction(context, `${number} ${each.kind}`, told);
    (printers[each.kind] as Printer<Loops["kind"]>)(target as KernelFunction<never>, each);
    if (each.kind !== "product" || each.panels === undefined) return { fn: target.fn };
    const panels = kernelFunction(context, `${number} panels`, { ...told, division: undefined });
    printPanels(panels, each);
    return { fn: target.fn, prepare: panels.fn };
  });
}

type Printer<K extends Loops["kind"]> = (target: KernelFunction<never>, loops: Extract<Loops, { kind: K }>) => void;

/** What fills a kernel's function, by the kind of its loops. */
const printers: { readonly [K in Loops["kind"]]: Printer<K> } = {
  elements: printElements,
  pieces: (target, { pieces }) => pieces.forEach((piece) => printElements(target, piece)),
  "contiguous fold": printFold,
  blocks: (target, loops) => longRows.module.printBlocks(target, loops),
  join: (target, loops) => longRows.module.printJoin(target, loops),
  "strided fold": printColumns,
  product: printProduct,
  lines: (target, loops) => lines.module.printLines(target, loops),
  sampler: (target, loops) => samplers.module.printRandom(target, loops),
  zeros: printZeros,
};

/** What few plans need. */
const longRows = new LazyModule(() => import("./long.ts"));
const lines = new LazyModule(() => import("./lines.ts"));
const samplers = new LazyModule(() => import("./random.ts"));

/** Sets what the kernel writes to zero. */
function printZeros(target: KernelFunction, { parallel }: ZeroLoops): void {
  const { begin, end } = share(target, parallel);
  target.fn.emit(memory.fill(i32.add(valueAddress(target, target.kernel.output), begin), 0, i32.sub(end, begin)));
}
