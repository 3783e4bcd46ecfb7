// A schedule as loops that a person can read: what runs together, which axis threads share, where vectors and folds run, what a kernel costs, and
// where each value lives. A backend prints the same data as code, so what stands here is what runs.
import { blockSize, chunkSize, isDraws, laneCount } from "../../kernels/kernel.ts";
import { type Nested, nested } from "../compile/nested.ts";
import type { Target } from "../compile/target.ts";
import { drawStrip, type ElementLoops } from "../schedule/elements.ts";
import { digitValues, type Sorting } from "../schedule/line.ts";
import type { Loops } from "../schedule/loops.ts";
import type { Nest } from "../schedule/nest.ts";
import type { Parallel } from "../schedule/parallel.ts";
import type { ScheduledGroup } from "../schedule/phases.ts";
import { rowsOfBlock } from "../schedule/places.ts";
import type { ProductLoops } from "../schedule/product.ts";
import type { Schedule } from "../schedule/schedule.ts";
import type { Segment } from "../schedule/split.ts";
import { strip } from "../schedule/stages.ts";
import { columnBlock, tileRows, tileUnroll } from "../schedule/tile.ts";
import type { RowLoops, Rows } from "../schedule/vectorise.ts";
import { printKernel } from "./kernel.ts";

/** How the threads divide a function's work, as the end of the line of the axis that they share. */
type Sharing = (parallel: Parallel | undefined) => string;

const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
/** Lines, each within the one before. */
const within = (lines: readonly string[]) => lines.map((line, depth) => `${"  ".repeat(depth)}${line}`);

/** The whole schedule. */
export function showSchedule(schedule: Schedule): string {
  const { arenaBytes, lowerBoundBytes, localBytes, panelBytes, scratchBytes, groups } = schedule;
  return [
    `arena ${arenaBytes} B, at least ${lowerBoundBytes}; each thread ${localBytes} B of local values, ${panelBytes} B of packed operands, ${scratchBytes} B of scratch`,
    ...showAll(
      schedule,
      nested(groups, ({ members }) => members[0].kernel.repeat),
    ),
  ].join("\n");
}

/** Groups, those of a loop within it; t is its position. */
function showAll(schedule: Schedule, groups: readonly Nested<ScheduledGroup>[]): string[] {
  return groups.flatMap((each) => {
    if ("item" in each) return showGroup(schedule, each.item);
    const { count, reverse, draws } = each.repeat;
    const order = reverse ? `t = ${count - 1} … 0` : `t = 0 … ${count - 1}`;
    const drawn = draws > 0 ? `, draws of t from ${draws} t on` : "";
    return [`repeat ${count} times, ${order}${drawn}:`, ...indent(showAll(schedule, each.body))];
  });
}

function showGroup(schedule: Schedule, group: ScheduledGroup): string[] {
  const { members, division, blocks } = group;
  const lines = members.flatMap((member) => {
    const [head, ...body] = printKernel(member.kernel, member.number, schedule.plan);
    const loops = member.loops.flatMap((each) =>
      showLoops(each, schedule.target, sharingOf(schedule, group, each.chunks)),
    );
    return [
      head,
      ...indent([...placeOf(schedule, group, member.kernel.output), ...body.map((line) => line.trim()), ...loops]),
    ];
  });
  if (!division) return lines;
  const numbers = members.map(({ number }) => number).join(", ");
  const shared = schedule.target.threads > 1 && blocks > 1 ? "threads take the blocks" : "on one thread";
  const head = `kernels ${numbers} together: ${blocks} blocks of at most ${rowsOfBlock(division, blocks)} of ${division.rows} rows, ${shared}`;
  return [head, ...indent(lines)];
}

function sharingOf({ target }: Schedule, { division }: ScheduledGroup, chunks: number): Sharing {
  if (division) return () => ", the block's";
  if (target.threads === 1) return () => "";
  return (parallel) =>
    parallel && chunks > 1 ? `, threads take ${chunks} chunks in multiples of ${parallel.grain}` : ", one thread";
}

/** Where a temporary value lives. */
function placeOf({ offsets, plan }: Schedule, { locals, division, blocks }: ScheduledGroup, value: number): string[] {
  const local = locals.places.get(value);
  if (local && division) {
    const bytes = rowsOfBlock(division, blocks) * local.rowBytes;
    return [`v${value} in thread-local scratch [${local.offset}, ${local.offset + bytes})`];
  }
  const offset = offsets.get(value);
  if (offset === undefined) return [];
  const { size } = plan.values[value];
  return [`v${value} in the arena from ${offset}, ${size} elements`];
}

/** The lines of axes [from, to) of a nest, outermost first; those of one point only where there is no other. */
function axes(
  { extents }: Nest,
  [from, to]: readonly [number, number],
  parallel: Parallel | undefined,
  sharing: Sharing,
): string[] {
  const lines = extents.slice(from, to).flatMap((extent, i) => {
    const axis = from + i;
    const end = parallel?.axis === axis ? sharing(parallel) : "";
    return extent === 1 && axis + 1 < to ? [] : [`for i${axis} < ${extent}${end}`];
  });
  return parallel ? lines : [`${lines[0]}${sharing(parallel)}`, ...lines.slice(1)];
}

/** The last axis of what is computed row by row. */
function rowLines({ nest, lanes, widths, segments: all, bands, stages, isApart }: RowLoops, first: string): string[] {
  const isIndexed = nest.inputs.some(({ index }) => index);
  const indices = isIndexed ? (isApart ? ", an index each" : ", one index a row") : "";
  const vectors = lanes > 1 ? `, ${lanes} lanes${widths[0] > 1 && !stages && !isIndexed ? ` × ${widths[0]}` : ""}` : "";
  const cut = (pieces: readonly Pick<Segment, "begin" | "end">[], how: string) =>
    pieces.length > 1 ? `, ${how} ${pieces.map(({ begin, end }) => `[${begin}, ${end})`).join(" ")}` : "";
  const parts = `${cut(bands?.[0].segments ?? all, "in parts")}${cut(bands ?? [], "those before it in bands")}`;
  const pairs = nest.inputs.some(({ pair }) => pair !== undefined) ? ", in pairs" : "";
  return [`${first}${indices}${vectors}${parts}${pairs}`, ...stageLines({ lanes, widths, stages })];
}

function stageLines({ lanes, widths, stages }: Pick<RowLoops, "lanes" | "widths" | "stages">): string[] {
  if (!stages) return [];
  const count = stages.stages.length;
  const waiting = `${stages.slots.length} values wait in scratch`;
  return [`in ${count} stages over strips of ${strip}, ${lanes} lanes × ${widths[0]}: ${waiting}`];
}

function sideBySide({ nest, axis, lanes, widths, overlaps, segments }: Rows, { axis: shared }: Parallel): string {
  const ends = overlaps && lanes > 1 && nest.extents[axis] % lanes > 0 && shared !== axis;
  const rest = ends && segments.every(({ begin, end }) => end - begin >= lanes) ? `the last ${lanes}` : 1;
  return `${[...widths.map((width) => width * lanes), rest].join(", then ")} side by side`;
}

function elementLines(loops: ElementLoops, sharing: Sharing): string[] {
  const { nest, parallel } = loops;
  const lines = axes(nest, [0, nest.extents.length], parallel, sharing);
  const last = lines.pop()!;
  return [...lines, ...rowLines(loops, last)];
}

function showLoops(loops: Loops, target: Target, sharing: Sharing): string[] {
  switch (loops.kind) {
    case "elements": {
      const words = loops.nest.inputs.some(({ source }) => isDraws(source))
        ? [`draw ${drawStrip} words at a time into scratch`]
        : [];
      return within([...elementLines(loops, sharing), ...words]);
    }
    case "contiguous fold": {
      const { nest, parallel, count, gather, takesTurns } = loops;
      const how = `gather at most ${blockSize} elements at a time into scratch`;
      const apart = takesTurns ? [`rows of ${nest.extents.at(-1)} where they lie`] : [];
      const gathered = gather ? [how, ...stageLines(gather)] : apart;
      const way = `in blocks of ${blockSize}, ${laneCount} sums in vectors of ${target.lanes}`;
      return within([...axes(nest, [0, nest.outer], parallel, sharing), ...gathered, `fold ${count} ${way}`]);
    }
    case "blocks":
      return within([
        `for block < ${loops.blocks}${sharing(loops.parallel)}`,
        `fold ${blockSize} of ${loops.count}, ${laneCount} sums in vectors of ${target.lanes}, into scratch`,
      ]);
    case "join":
      return [`then fold the ${loops.blocks} blocks${sharing(undefined)}`];
    case "strided fold": {
      const { nest, axis, parallel, count, chunk, writtenTerms } = loops;
      const lines = axes(nest, [0, axis + 1], parallel, sharing);
      const fold = writtenTerms > 1 ? "written out" : chunk ? `in chunks of ${chunk}` : "one after another";
      return within([
        ...lines.slice(0, -1),
        `${lines[lines.length - 1]}: ${sideBySide(loops, parallel)}`,
        `fold ${count} ${fold}`,
      ]);
    }
    case "product":
      return showProduct(loops, target, sharing);
    case "lines": {
      const { nest, parallel, widths, count, sorting, passed } = loops;
      const outer = axes(nest, [0, nest.outer], parallel, sharing);
      const side = widths.length > 0 ? `: ${sideBySide(loops, parallel)}` : "";
      return within([
        ...outer.slice(0, -1),
        `${outer[outer.length - 1]}${side}`,
        `for a line of ${count}${sorting ? showSorting(sorting) : passed ? showPassed(passed) : ""}`,
      ]);
    }
    case "pieces":
      return loops.pieces.flatMap((piece) => [
        `${loops.pass} piece ${piece.number}:`,
        ...indent(within(elementLines(piece, sharing))),
      ]);
    case "zeros":
      return [`zero ${loops.bytes} B${sharing(loops.parallel)}`];
    case "sampler":
      return [`draw each element${sharing(loops.parallel)}`];
  }
}

const showPassed = (vectors: number): string => `, ${vectors} vectors passed over at once`;
const showSorting = ({ way, kept, vectors }: Sorting): string =>
  way === "digits"
    ? `, by ${digitValues} values of a digit`
    : `, a list of ${kept} by insertion${vectors > 0 ? showPassed(vectors) : ""}`;

function showProduct(product: ProductLoops, { lanes }: Target, sharing: Sharing): string[] {
  const { nest, rows, columns, depth, tileColumns, by, parallel, isInPlace, panels } = product;
  const share = (axis: "rows" | "columns") => (by === axis ? sharing(parallel) : "");
  const isBatch = nest.extents.some((extent) => extent > 1);
  const batch = isBatch
    ? axes(nest, [0, nest.extents.length], by === "batch" ? parallel : undefined, by === "batch" ? sharing : () => "")
    : [];
  const ofA = isInPlace ? "read a as it lies" : `pack a in panels of ${tileRows} rows`;
  const ofB = `pack b in panels of ${tileColumns} columns`;
  const isWhole = panels !== undefined;
  const before = isWhole ? [`once for each thread, ${ofB} from ${panels} of its packed operands`] : [];
  return [
    ...before,
    ...within([
      ...batch,
      `for column < ${columns} in ${columnBlock}s${share("columns")}`,
      `for k < ${depth} in chunks of ${chunkSize}${isWhole ? "" : `: ${ofB}`}`,
      `for row < ${rows} in ${tileRows}s${share("rows")}: ${ofA}`,
      `for tiles of ${tileRows} × ${tileColumns}: fold k, ${lanes} lanes, ${tileUnroll} terms a round`,
    ]),
  ];
}
