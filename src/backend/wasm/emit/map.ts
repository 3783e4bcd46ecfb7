// Map kernels: every output element from its inputs' elements at the same point, whatever their views, without copying a view first.
import { isDraws } from "../../../../kernels/kernel.ts";
import { drawStrip, type ElementLoops } from "../../../schedule/elements.ts";
import type { RowLoops } from "../../../schedule/vectorise.ts";
import { block, branchIf, type Code, type FunctionBuilder, type Local, loop } from "../assembler/assembler.ts";
import { i32, select } from "../assembler/instructions.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import { ElementPrinter } from "./elements.ts";
import { Elements } from "./halves.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops, start } from "./nest.ts";
import { type Scratch, StripPrinter } from "./strips.ts";
import { WordStrip } from "./words.ts";

/** Prints the loops into a kernel's function. */
export function printElements(context: Context, elements: ElementLoops, target: KernelFunction): void {
  const { fn } = target;
  const { nest, parallel, drawn } = elements;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const [begin, end, limits] = share(target, parallel);
  const part = { axis: parallel.axis, begin, end };
  fn.body(
    ...code,
    ...limits,
    ...(drawn > 0
      ? drawnLoops(context, target, elements, cursors, part)
      : mapLoops(context, fn, elements, 0, cursors, part, { base: target.scratch, from: 0 })),
  );
}

/** A thread's part of an axis. */
interface Part {
  readonly axis: number;
  readonly begin: Limit;
  readonly end: Limit;
}

/** Loops over the nest's rows, a strip of words at a time: these are drawn into scratch memory and read from there. */
function drawnLoops(
  context: Context,
  target: KernelFunction,
  elements: ElementLoops,
  cursors: readonly Cursor[],
  part: Part,
): Code[] {
  const { fn } = target;
  const { nest } = elements;
  const axis = nest.extents.length - 1;
  let held = 0;
  const words = nest.inputs.map(({ source }) =>
    isDraws(source) ? new WordStrip(context, target, source, 4 * drawStrip * held++) : undefined,
  );
  const inputs = nest.inputs.map((input, i) => (words[i] ? WordStrip.input(axis + 1) : input));
  const plain = { ...elements, nest: { ...nest, inputs } };
  const scratch = { base: target.scratch, from: 4 * drawStrip * held };
  const [from, to]: [Limit, Limit] = part.axis === axis ? [part.begin, part.end] : [0, nest.extents[axis]];
  const stripLoops = (here: readonly Cursor[], begin: Limit, end: Limit): Code[] => [
    ...words.flatMap((each, i) => each?.fill(here[i].at, begin, end) ?? []),
    ...mapLoops(
      context,
      fn,
      plain,
      axis,
      here.map((cursor, i) => words[i]?.cursor ?? cursor),
      { axis, begin, end },
      scratch,
    ),
  ];
  return [
    ...words.flatMap((each) => each?.before ?? []),
    ...loops(
      fn,
      nest,
      [0, axis],
      cursors,
      (here) => {
        if (typeof to === "number" && to <= drawStrip) return stripLoops(here, from, to);
        return countLoop(fn, from, to, drawStrip, (begin) => {
          const [end, setEnd] = fn.hold(i32.add(begin.get, i32.const(drawStrip)));
          const clipped = end.set(select(end.get, limitCode(to), i32.ltS(end.get, limitCode(to))));
          return [setEnd, clipped, ...stripLoops(here, begin, end)];
        });
      },
      part.axis === axis ? undefined : part,
    ),
  ];
}

/**
 * Loops over the nest's axes from `from` on and writes the body's values. The nest's last input is the output, without bounds and with
 * neighbours side by side. `scratch` is where stages leave what they have for later ones.
 */
export function mapLoops(
  context: Context,
  fn: FunctionBuilder,
  rows: RowLoops,
  from: number,
  cursors: readonly Cursor[],
  limits?: Part,
  scratch?: Scratch,
): Code[] {
  const { nest, body, lanes, unroll, stages } = rows;
  const axis = nest.extents.length - 1;
  const output = nest.inputs.length - 1;
  const { [output]: written } = nest.inputs;
  const wide = new ElementPrinter(fn, context.lanes, nest, axis, body);
  const narrow = lanes > 1 ? new ElementPrinter(fn, context.single, nest, axis, body) : wide;
  const bytes = written.scale;
  const words = fn.local("i32");
  const strips = stages && new StripPrinter(context, fn, nest, stages, scratch!);
  return loops(
    fn,
    nest,
    [from, axis],
    cursors,
    (here) =>
      rows.segments.flatMap(({ isStaged, inside, ...segment }) => {
        const [begin, end, code] = clip(fn, segment, limits?.axis === axis ? limits : undefined);
        const to = here[output].at;
        const address = () => i32.add(to.get, bytes === 4 ? words.get : i32.shrU(words.get, i32.const(3 - bytes)));
        const printed: Code[] = [...code, words.set(timesFour(begin))];
        const room = typeof begin === "number" && typeof end === "number" ? end - begin : Infinity;
        const run = (printer: ElementPrinter, width: number, count: number) => {
          if (room < width * count) return;
          const elements = new Elements(fn, width === 1 ? context.single : context.lanes, written);
          const { before, at } = printer.prepare(here, inside);
          // One address for all, and no store before the last value: so V8 can make one operation of two neighbours'.
          const [place, setPlace] = fn.hold(address());
          const values = Array.from({ length: count }, (_, step) => fn.hold(at(words, step) as Code<"v128">));
          const stores = values.map(([value], step) => elements.store(place.get, value.get, step * width * bytes));
          printed.push(
            ...guarded(words, width * count, end, before, [setPlace, ...values.map(([, set]) => set), ...stores]),
          );
        };
        /** What is left when `done` at a time are done. */
        const isLeft = (done: number, next: number) => room === Infinity || room % done >= next;
        if (strips && isStaged) {
          printed.push(...strips.print(here, inside, words, end, address));
          const done = lanes * stages!.unroll;
          if (stages!.unroll > 2 && isLeft(done, 2 * lanes)) run(wide, lanes, 2);
          if (isLeft(2 * lanes, 1)) run(narrow, 1, 1);
        } else {
          if (unroll > 1) run(wide, lanes, unroll);
          if (unroll === 1 || isLeft(lanes * unroll, lanes)) run(wide, lanes, 1);
          if (lanes > 1 && isLeft(lanes, 1)) run(narrow, 1, 1);
        }
        return printed;
      }),
    limits,
  );
}

/** while (words/4 + width <= end) { body; words += 4·width } */
function guarded(words: Local<"i32">, width: number, end: Limit, before: Code[], body: readonly Code[]): Code[] {
  const last =
    typeof end === "number"
      ? i32.const(4 * (end - width))
      : i32.sub(i32.shl(end.get, i32.const(2)), i32.const(4 * width));
  return [
    block((leave) => [
      branchIf(leave, i32.gtS(words.get, last)),
      ...before,
      loop((again) => [...body, branchIf(again, i32.leS(words.tee(i32.add(words.get, i32.const(4 * width))), last))]),
    ]),
  ];
}

const timesFour = (limit: Limit): Code<"i32"> =>
  typeof limit === "number" ? i32.const(4 * limit) : i32.shl(limit.get, i32.const(2));

/** The segment's part that lies in the limits. */
function clip(
  fn: FunctionBuilder,
  segment: { begin: number; end: number },
  limits?: { begin: Limit; end: Limit },
): [Limit, Limit, Code[]] {
  if (!limits) return [segment.begin, segment.end, []];
  const [begin, setBegin] = fn.hold(bounded(limits.begin, segment.begin, i32.gtS));
  const [end, setEnd] = fn.hold(bounded(limits.end, segment.end, i32.ltS));
  return [begin, end, [setBegin, setEnd]];
}

function bounded(limit: Limit, border: number, compare: typeof i32.ltS): Code<"i32"> {
  return select(limitCode(limit), i32.const(border), compare(limitCode(limit), i32.const(border)));
}
