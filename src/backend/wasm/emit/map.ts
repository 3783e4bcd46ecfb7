// Elements: what each point computes of its inputs at that point, whatever their views, without copying a view first; read and written by an index that is
// data; of words of the stream, a strip of them at a time; and long expressions stage by stage over strips of a row, where what later stages need waits
// in scratch memory that stays in the first cache.
import { isDraws } from "../../../../kernels/kernel.ts";
import { drawStrip, type ElementLoops } from "../../../schedule/elements.ts";
import { inScratch, type NestInput } from "../../../schedule/nest.ts";
import { type Stage, strip } from "../../../schedule/stages.ts";
import type { RowLoops } from "../../../schedule/vectorise.ts";
import { type Code, type FunctionBuilder, i32, type Local, type Place } from "../assembler/assembler.ts";
import { bindings } from "../runtime/bindings.ts";
import { type Context, type KernelFunction, overNest } from "./context.ts";
import { along, ElementPrinter } from "./elements.ts";
import { Elements } from "./kept.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, inStrips, type Part } from "./nest.ts";
import { type Round, type Row, rounds, rowsOf } from "./rows.ts";
import { WordStrip } from "./words.ts";

/** The kernel whose function it is, which has scratch memory and reports what index is out of range. */
interface Owner {
  readonly target: KernelFunction;
  readonly number: number;
  /** Bytes of its scratch memory that are taken. */
  readonly taken: number;
}

/** The loops of a kernel's function; `number` is the kernel's, under which it reports an index out of range. */
export function printElements(context: Context, number: number, loops: ElementLoops, target: KernelFunction): void {
  overNest(target, loops, (cursors, part) =>
    mapRows(context, target.fn, loops, 0, cursors, { target, number, taken: 0 }, part),
  );
}

/** Loops over the nest's axes from `from` on. `kernel` is whose function it is, where there are words, stages or an index. */
export function mapRows(
  context: Context,
  fn: FunctionBuilder,
  loops: RowLoops,
  from: number,
  cursors: readonly Cursor[],
  kernel?: Owner,
  part?: Part,
): void {
  const printer = new MapPrinter(context, fn, loops, kernel);
  rowsOf(fn, loops, from, cursors, part, (row) => printer.row(row));
}

class MapPrinter {
  readonly #context: Context;
  readonly #fn: FunctionBuilder;
  readonly #loops: RowLoops;
  readonly #kernel: Owner | undefined;
  /** The loops' inputs, words as they lie in their strips, and the slots. */
  readonly #inputs: readonly NestInput[];
  readonly #slots: readonly NestInput[];
  readonly #stages: readonly { readonly roots: Stage["roots"]; readonly printers: Map<Lanes, ElementPrinter> }[];
  readonly #draws: readonly (WordStrip | undefined)[];
  readonly #words: Local<"i32">;
  /** Where point 0 of the row would be in a strip. */
  readonly #strip: Local<"i32">;
  /** Bytes of scratch memory before the strips of stages. */
  readonly #taken: number;

  constructor(context: Context, fn: FunctionBuilder, loops: RowLoops, kernel: Owner | undefined) {
    const { nest, axis, body, stages } = loops;
    let taken = kernel?.taken ?? 0;
    this.#draws = nest.inputs.map(({ source }) => {
      if (!isDraws(source)) return undefined;
      taken += 4 * drawStrip;
      return new WordStrip(context, kernel!.target, source, taken - 4 * drawStrip);
    });
    this.#context = context;
    this.#fn = fn;
    this.#loops = loops;
    this.#kernel = kernel;
    this.#words = fn.local("i32");
    this.#strip = fn.local("i32");
    this.#taken = taken;
    const slots = stages?.slots ?? [];
    const ways = nest.extents.map((_, each) => (each === axis ? 1 : 0));
    // Conditions are kept as masks.
    this.#slots = slots.map((type, slot) => ({
      ...inScratch(type === "bool" ? "int32" : type, ways),
      beyond: 4 * strip * slot,
    }));
    const own = nest.inputs.map((input, i) => (this.#draws[i] ? inScratch("uint32", ways) : input));
    this.#inputs = [...own, ...this.#slots];
    const whole: Stage = { roots: [{ body, slot: -1 }] };
    this.#stages = (stages?.stages ?? [whole]).map(({ roots }) => ({ roots, printers: new Map() }));
  }

  row(row: Row): void {
    const by = this.#index?.at;
    if (by === undefined || this.#loops.isApart) this.#inDraws(row);
    else this.#byIndex(row.here, row.here[by].at, (here) => this.#inDraws({ ...row, here }));
  }

  get #index(): NestInput["index"] {
    return this.#inputs.find(({ index }) => index)?.index;
  }

  /** What is addressed by the index at `place` is there. One out of range is written to the bindings, and nothing is read or written through it. */
  #byIndex(here: readonly Cursor[], place: Code<"i32">, body: (here: readonly Cursor[]) => void): void {
    const fn = this.#fn;
    const { target, number } = this.#kernel!;
    const { extent } = this.#index!;
    const index = fn.let(i32.load(place));
    const report = () =>
      fn.when(i32.eqz(i32.load(target.bindings, bindings.status)), () =>
        fn.emit(
          i32.store(target.bindings, index, bindings.badIndex),
          i32.store(target.bindings, number + 1, bindings.status),
        ),
      );
    fn.when(i32.geU(index, extent), report, () =>
      body(
        here.map((cursor, i) => {
          const { index: by, scale } = this.#inputs[i];
          if (!by) return cursor;
          return { ...cursor, at: fn.let(i32.add(cursor.at, i32.mul(index, by.stride * scale))) };
        }),
      ),
    );
  }

  #inDraws(row: Row): void {
    if (!this.#draws.some(Boolean)) {
      this.#inStages(row);
      return;
    }
    const here = row.here.map((cursor, i) => this.#draws[i]?.cursor ?? cursor);
    inStrips(this.#fn, row, drawStrip, (begin, end) => {
      this.#draws.forEach((each, i) => each?.fill(row.here[i].at, begin, end));
      this.#inStages({ ...row, here, begin, end });
    });
  }

  #inStages(row: Row): void {
    if (!this.#loops.stages) {
      this.#rounds(0, row);
      return;
    }
    const here = [...row.here, ...this.#slots.map(() => ({ at: this.#strip, inside: true }))];
    const inside = [...row.inside, ...this.#slots.map(() => true)];
    const before = this.#fn.place();
    inStrips(this.#fn, row, strip, (begin, end) => {
      const scratch = i32.add(this.#kernel!.target.scratch, this.#taken);
      this.#strip.set(i32.sub(scratch, i32.shl(begin, 2)));
      this.#stages.forEach((_, stage) => this.#rounds(stage, { here, inside, begin, end }, before));
    });
  }

  #rounds(stage: number, row: Row, before?: Place): void {
    const { axis } = this.#loops;
    const by = this.#index?.at;
    const round: Round = (lanes, count) => {
      if (by === undefined || !this.#loops.isApart) return this.#round(stage, row, lanes, count);
      const place = along(row.here[by].at, 4 * this.#inputs[by].strides[axis], this.#words);
      return () => this.#byIndex(row.here, place, (here) => this.#round(stage, { ...row, here }, lanes, count)());
    };
    rounds(this.#context, this.#fn, this.#loops, row, this.#words, round, before);
  }

  #round(
    stage: number,
    { here, inside, body, kept }: Omit<Row, "begin" | "end">,
    lanes: Lanes,
    count: number,
  ): () => void {
    const fn = this.#fn;
    const { nest, axis } = this.#loops;
    const { roots, printers } = this.#stages[stage];
    const inputs = this.#inputs;
    const bodies = body ? [body] : roots.map((root) => root.body);
    const known = body ? undefined : printers.get(lanes);
    const printer = known ?? new ElementPrinter(fn, lanes, { ...nest, inputs }, axis, ...bodies);
    if (!body) printers.set(lanes, printer);
    const points = printer.prepare(here, inside, kept);
    return () => {
      // No store before the last value: so V8 can make one operation of two neighbours'.
      const targets = roots.map(({ slot }) => {
        const to = nest.inputs.length + slot;
        const { [to]: element } = inputs;
        const { at } = here[to];
        const stride = element.strides[axis] * element.scale;
        return { element, place: fn.let(along(at, stride, this.#words)), stride };
      });
      const values = Array.from({ length: count }, (_, step) =>
        points(this.#words, step).map((value) => fn.let(value)),
      );
      targets.forEach(({ element, place, stride }, i) => {
        const elements = new Elements(fn, lanes, element);
        const stores = values.map((each, step) =>
          elements.store(place, each[i], (element.beyond ?? 0) + step * lanes.width * stride),
        );
        fn.emit(...stores.reverse());
      });
    };
  }
}
