// Elements: what each point computes of its inputs at that point, whatever their views, without copying a view first; read and written by an index that is
// data; of words of the stream, a strip of them at a time; and long expressions stage by stage over strips of a row, where what later stages need waits
// in scratch memory that stays in the first cache.
import { isDraws } from "../../../../kernels/kernel.ts";
import { drawStrip, type ElementLoops } from "../../../schedule/elements.ts";
import { inScratch, type NestInput } from "../../../schedule/nest.ts";
import { type Stage, strip } from "../../../schedule/stages.ts";
import type { RowLoops } from "../../../schedule/vectorise.ts";
import { type Code, i32, type Place, type Value } from "../assembler/assembler.ts";
import { bindings } from "../runtime/bindings.ts";
import { type KernelFunction, overNest } from "./context.ts";
import { along, elementPrinter, type Prepare } from "./elements.ts";
import { elementsAs } from "./kept.ts";
import { type Lanes, pairedLanes } from "./lanes.ts";
import { type Cursor, inStrips, type Part } from "./nest.ts";
import { type Round, type Row, rounds, rowsOf } from "./rows.ts";
import { wordStrip } from "./words.ts";

/** Prints the loops of elements. */
export function printElements(target: KernelFunction, loops: ElementLoops): void {
  overNest(target, loops, (cursors, part) => mapRows(target, loops, 0, cursors, 0, part));
}

/** Loops over the nest's axes from `from` on; so many bytes of scratch memory are taken. */
export function mapRows(
  target: KernelFunction,
  loops: RowLoops,
  from: number,
  cursors: readonly Cursor[],
  before: number,
  part?: Part,
): void {
  const { fn, number } = target;
  const { nest, axis, body, stages: cut, isApart } = loops;
  let taken = before;
  const draws = nest.inputs.map(({ source }) => {
    if (!isDraws(source)) return undefined;
    taken += 4 * drawStrip;
    return wordStrip(target, source, taken - 4 * drawStrip);
  });
  const words = fn.local("i32");
  /** Where point 0 of the row would be in a strip. */
  const inStrip = fn.local("i32");
  const ways = nest.extents.map((_, each) => (each === axis ? 1 : 0));
  // Conditions are kept as masks.
  const slots = (cut?.slots ?? []).map(
    (type, slot): NestInput => ({ ...inScratch(type === "bool" ? "int32" : type, ways), beyond: 4 * strip * slot }),
  );
  const own = nest.inputs.map((input, i) => (draws[i] ? inScratch("uint32", ways) : input));
  /** The loops' inputs, words as they lie in their strips, and the slots. */
  const inputs = [...own, ...slots];
  const index = inputs.find((input) => input.index)?.index;
  const whole: Stage = { roots: [{ body, slot: -1 }] };
  const stages = (cut?.stages ?? [whole]).map(({ roots }) => ({ roots, printers: new Map<Lanes, Prepare>() }));

  /** What is addressed by the index at `place` is there. One out of range is written to the bindings, and nothing is read or written through it. */
  const byIndex = (here: readonly Cursor[], place: Code<"i32">, use: (here: readonly Cursor[]) => void) => {
    const at = fn.let(i32.load(place));
    const report = () =>
      fn.when(i32.eqz(i32.load(target.bindings, bindings.status)), () =>
        fn.emit(
          i32.store(target.bindings, at, bindings.badIndex),
          i32.store(target.bindings, number + 1, bindings.status),
        ),
      );
    const addressed = (cursor: Cursor, i: number): Cursor => {
      const { index: by, scale } = inputs[i];
      return by ? { ...cursor, at: fn.let(i32.add(cursor.at, i32.mul(at, by.stride * scale))) } : cursor;
    };
    fn.when(i32.geU(at, index!.extent), report, () => use(here.map(addressed)));
  };

  const pointsOf = (
    stage: number,
    { here, inside, body, kept }: Omit<Row, "begin" | "end">,
    lanes: Lanes,
    count: number,
  ): (() => void) => {
    const { roots, printers } = stages[stage];
    const bodies = body ? [body] : roots.map((root) => root.body);
    const known = body ? undefined : printers.get(lanes);
    const prepare = known ?? elementPrinter(fn, lanes, { ...nest, inputs }, axis, ...bodies);
    if (!body) printers.set(lanes, prepare);
    const points = prepare(here, inside, kept);
    return () => {
      const stores = roots.map(({ slot }) => {
        const to = nest.inputs.length + slot;
        const { [to]: element } = inputs;
        const { strides, scale, beyond = 0 } = element;
        const stride = strides[axis] * scale;
        const place = fn.let(along(here[to].at, stride, words));
        const { store } = elementsAs(fn, lanes, element);
        return (value: Value, step: number) => store(place, value, beyond + step * lanes.width * stride);
      });
      const steps = Array.from({ length: count }, (_, step) => step);
      if (lanes !== pairedLanes) {
        // Each at once, by no more locals than that takes: the smaller a loop, the more of its rounds V8 makes one of.
        for (const step of steps) fn.emit(...points(words, step).map((value, i) => stores[i](value, step)));
        return;
      }
      // No store before the last value, and the last store first: so V8 makes one operation of two neighbours'.
      const values = steps.map((step) => points(words, step).map((value) => fn.let(value)));
      stores.forEach((store, i) => fn.emit(...steps.map((step) => store(values[step][i], step)).reverse()));
    };
  };

  const inRounds = (stage: number, row: Row, place?: Place) => {
    const round: Round = (lanes, count) => {
      if (!index || !isApart) return pointsOf(stage, row, lanes, count);
      const at = along(row.here[index.at].at, 4 * inputs[index.at].strides[axis], words);
      return () => byIndex(row.here, at, (here) => pointsOf(stage, { ...row, here }, lanes, count)());
    };
    rounds(target, loops, row, words, round, place);
  };

  const inStages = (row: Row) => {
    if (!cut) {
      inRounds(0, row);
      return;
    }
    const here = [...row.here, ...slots.map(() => ({ at: inStrip, inside: true }))];
    const inside = [...row.inside, ...slots.map(() => true)];
    const place = fn.place();
    inStrips(fn, row, strip, (begin, end) => {
      inStrip.set(i32.sub(i32.add(target.scratch, taken), i32.shl(begin, 2)));
      stages.forEach((_, stage) => inRounds(stage, { here, inside, begin, end }, place));
    });
  };

  const inDraws = (row: Row) => {
    if (!draws.some(Boolean)) {
      inStages(row);
      return;
    }
    const here = row.here.map((cursor, i) => draws[i]?.cursor ?? cursor);
    inStrips(fn, row, drawStrip, (begin, end) => {
      draws.forEach((each, i) => each?.fill(row.here[i].at, begin, end));
      inStages({ ...row, here, begin, end });
    });
  };

  rowsOf(fn, loops, from, cursors, part, (row) => {
    if (!index || isApart) inDraws(row);
    else byIndex(row.here, row.here[index.at].at, (here) => inDraws({ ...row, here }));
  });
}
