// Map kernels: every output element from its inputs' elements at the same point, whatever their views, without copying a view first.
import type { Expr } from "../../../kernels/expr.ts";
import { elementBytes, isDraws, type KernelInput, type MapKernel } from "../../../kernels/kernel.ts";
import { mergeAxes } from "../../schedule/merge.ts";
import type { Nest } from "../../schedule/nest.ts";
import { grain, operationCount, splitAxis } from "../../schedule/parallel.ts";
import type { RowBlocks } from "../../schedule/rows.ts";
import { inPairs, inTiles, segments } from "../../schedule/split.ts";
import { stagesOf } from "../../schedule/stages.ts";
import { block, branchIf, type Code, type FunctionBuilder, type Local, loop } from "./assembler.ts";
import { type Context, cutShare, type KernelFunction, share, valueAddress } from "./context.ts";
import { ElementPrinter, unrolling } from "./elements.ts";
import { beforeRounding, Elements } from "./halves.ts";
import { i32, select } from "./instructions.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops, start } from "./nest.ts";
import { type Scratch, StripPrinter } from "./strips.ts";
import { strip, WordStrip } from "./words.ts";

/** Prints a map kernel into its function; parts have the borders of the cut, if there is one. */
export function printMap(context: Context, kernel: MapKernel, target: KernelFunction, cut?: RowBlocks): void {
  const { fn } = target;
  const { shape, dtype, storage } = kernel;
  const body = beforeRounding(kernel.body, storage);
  const output: KernelInput = { source: kernel.output, dtype, storage, view: contiguous(shape) };
  const whole = mergeAxes(shape, [...kernel.inputs, output]);
  const isDrawn = kernel.inputs.some(({ source }) => isDraws(source));
  const nest = cut || isDrawn ? whole : context.isSimd ? inTiles(inPairs(whole)) : inTiles(whole);
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const split = cut === undefined ? splitAxis(nest) : nest.outer;
  const { [split]: extent } = nest.extents;
  const [begin, end, limits] = cut
    ? cutShare(target, extent, cut)
    : share(target, extent, split === nest.extents.length - 1 ? grain : 1);
  const part = { axis: split, begin, end };
  fn.body(
    ...code,
    ...limits,
    ...(isDrawn
      ? drawnLoops(context, target, nest, body, cursors, part)
      : mapLoops(context, fn, nest, 0, body, cursors, part, { base: target.scratch, from: 0 })),
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
  nest: Nest,
  body: Expr,
  cursors: readonly Cursor[],
  part: Part,
): Code[] {
  const { fn } = target;
  const axis = nest.extents.length - 1;
  let held = 0;
  const words = nest.inputs.map(({ source }) =>
    isDraws(source) ? new WordStrip(context, target, source, 4 * strip * held++) : undefined,
  );
  const plain = { ...nest, inputs: nest.inputs.map((input, i) => (words[i] ? WordStrip.input(axis + 1) : input)) };
  const scratch = { base: target.scratch, from: 4 * strip * held };
  const [from, to]: [Limit, Limit] = part.axis === axis ? [part.begin, part.end] : [0, nest.extents[axis]];
  const stripLoops = (here: readonly Cursor[], begin: Limit, end: Limit): Code[] => [
    ...words.flatMap((each, i) => each?.fill(here[i].at, begin, end) ?? []),
    ...mapLoops(
      context,
      fn,
      plain,
      axis,
      body,
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
        if (typeof to === "number" && to <= strip) return stripLoops(here, from, to);
        return countLoop(fn, from, to, strip, (begin) => {
          const [end, setEnd] = fn.hold(i32.add(begin.get, i32.const(strip)));
          const clipped = end.set(select(end.get, limitCode(to), i32.ltS(end.get, limitCode(to))));
          return [setEnd, clipped, ...stripLoops(here, begin, end)];
        });
      },
      part.axis === axis ? undefined : part,
    ),
  ];
}

function contiguous(shape: readonly number[]) {
  let stride = 1;
  const strides = shape.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return { shape, strides, offset: 0, bounds: shape.map(() => null) };
}

/** Rows of fewer elements aren't cut into strips. */
const shortest = 32;

/**
 * Loops over the nest's axes from `from` on and writes the body's values. The nest's last input is the output, without bounds and with
 * neighbours side by side. With scratch memory long bodies go strip by strip.
 */
export function mapLoops(
  context: Context,
  fn: FunctionBuilder,
  nest: Nest,
  from: number,
  body: Expr,
  cursors: readonly Cursor[],
  limits?: Part,
  scratch?: Scratch,
): Code[] {
  const axis = nest.extents.length - 1;
  const output = nest.inputs.length - 1;
  const { [output]: written } = nest.inputs;
  const unroll = unrolling(context, nest, axis, operationCount(body));
  const wide = new ElementPrinter(fn, context.lanes, nest, axis, body);
  const narrow = context.isSimd ? new ElementPrinter(fn, context.single, nest, axis, body) : wide;
  const bytes = written.scale;
  const words = fn.local("i32");
  const stages = context.isSimd && scratch ? stagesOf(body, nest.inputs.length) : null;
  const strips = stages && new StripPrinter(context, fn, nest, stages, scratch!);
  return loops(
    fn,
    nest,
    [from, axis],
    cursors,
    (here) =>
      segments(nest, axis).flatMap((segment) => {
        const [begin, end, code] = clip(fn, segment, limits?.axis === axis ? limits : undefined);
        const to = here[output].at;
        const address = () => i32.add(to.get, bytes === 4 ? words.get : i32.shrU(words.get, i32.const(3 - bytes)));
        const rows: Code[] = [...code, words.set(timesFour(begin))];
        const room = typeof begin === "number" && typeof end === "number" ? end - begin : Infinity;
        const run = (printer: ElementPrinter, width: number, count: number) => {
          if (room < width * count) return;
          const elements = new Elements(fn, width === 1 ? context.single : context.lanes, written);
          const { before, at } = printer.prepare(here, segment.inside);
          const steps = Array.from({ length: count }, (_, step) =>
            // The address is pushed before the value is computed; both orders give the same.
            elements.store(address(), at(words, step), step * width * bytes),
          );
          rows.push(...guarded(words, width * count, end, before, steps));
        };
        if (strips && room >= shortest) {
          rows.push(...strips.print(here, segment.inside, words, end, address));
          if (room % 8 !== 0 || room === Infinity) run(narrow, 1, 1);
        } else if (context.isSimd) {
          if (unroll > 1) run(wide, 4, unroll);
          if (unroll === 1 || room % (4 * unroll) >= 4 || room === Infinity) run(wide, 4, 1);
          if (room % 4 !== 0 || room === Infinity) run(narrow, 1, 1);
        } else run(narrow, 1, 1);
        return rows;
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

/** A map over the axes from `from` on into scratch memory, row-major: how a reduction reads what no single stride gives. */
export function mapInto(
  context: Context,
  fn: FunctionBuilder,
  body: Expr,
  nest: Nest,
  cursors: readonly Cursor[],
  to: Local<"i32">,
): Code[] {
  let stride = 1;
  const strides = nest.extents.map(() => 0);
  for (let axis = nest.extents.length - 1; axis >= nest.outer; axis--) {
    strides[axis] = stride;
    stride *= nest.extents[axis];
  }
  const { type } = body;
  const output = {
    type,
    source: 0,
    strides,
    bounds: nest.extents.map(() => null),
    offset: 0,
    never: false,
    scale: elementBytes({ dtype: type }),
  };
  const whole: Nest = { ...nest, inputs: [...nest.inputs, output] };
  return mapLoops(context, fn, whole, nest.outer, body, [...cursors, { at: to, inside: true }]);
}
