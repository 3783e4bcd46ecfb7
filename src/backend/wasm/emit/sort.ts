// The order of a line's elements: each becomes a key whose integers ascend as the elements should, above its place, 64 bits together, so that no two
// are equal and the order of the places makes it stable.
import type { SortKernel } from "../../../../kernels/sort.ts";
import { digitValues, keyBytes } from "../../../schedule/line.ts";
import { type Code, f32, i32, i64, type Local, memory, select } from "../assembler/assembler.ts";
import type { KernelFunction } from "./context.ts";
import { along } from "./elements.ts";
import { elementsAs } from "./kept.ts";
import { countLoop, least } from "./nest.ts";
import type { Line } from "./rows.ts";

const digitBits = 8;
const digits = 32 / digitBits;
/** Bytes of the numbers that belong to one digit. */
const tableBytes = 4 * digitValues;
/** What a word is higher up than the place beside it. */
const wordAt = 4;

/** Prints one line. */
export function printSort(target: KernelFunction<SortKernel>, { loops, lanes, row, words }: Line): void {
  const { fn, scratch, lanes: wide, kernel } = target;
  const { isDescending } = kernel;
  const { nest, axis, count } = loops;
  const { way, kept, vectors } = loops.sorting!;
  const [x, out] = nest.inputs.map((input, i) => ({
    input,
    at: fn.let(along(row.here[i].at, input.strides[axis] * input.scale, words)),
    step: input.strides[axis + 1] * input.scale,
  }));
  const { type } = x.input;
  const value = fn.local(lanes.valueType(type));
  const word = fn.local("i32");
  /** Where the list of keys is. */
  const from = fn.let(scratch);
  const move = (each: Local<"i32">, by: number) => each.set(i32.add(each, by));
  const flip = (code: Code<"i32">) => (isDescending ? i32.xor(code, -1) : code);

  /** Sets `word` to the key of the next element. */
  const setWord = () => {
    value.set(elementsAs(fn, lanes, x.input).load(x.at));
    move(x.at, x.step);
    if (type !== "float32") {
      word.set(flip(value as Local<"i32">));
      return;
    }
    const float = value as Local<"f32">;
    // −0 as 0; of negative numbers the other bits descend.
    word.set(select(0, i32.reinterpretF32(float), f32.eq(float, f32.const(0))));
    word.set(i32.xor(word, i32.and(i32.shrS(word, 31), 0x7fffffff)));
    word.set(select(0x7fffffff, flip(word), f32.ne(float, float)));
  };

  /** The list holds the first ones so far: a key that belongs there goes past larger ones, and the last of a full list goes out. */
  const insertion = () => {
    const [write, stop] = [fn.local("i32"), fn.local("i32")];
    const i = fn.let(0);
    const last = fn.let(2n ** 63n - 1n);
    const [key, other] = [fn.local("i64"), fn.local("i64")];
    const first = fn.let(x.at);
    const bound = fn.local(wide.valueType(type));
    const elements = elementsAs(fn, wide, x.input);
    const points = vectors > 0 ? wide.width * vectors : count;
    const end = keyBytes * (kept - 1);
    const insert = () => {
      write.set(i32.add(from, i32.shl(least(i, kept - 1), 3)));
      fn.block((done) =>
        fn.loop((again) => {
          fn.branchIf(done, i32.eq(write, from));
          other.set(i64.load(i32.sub(write, keyBytes)));
          fn.branchIf(done, i64.ltS(other, key));
          fn.emit(i64.store(write, other));
          move(write, -keyBytes);
          fn.branch(again);
        }),
      );
      fn.emit(i64.store(write, key));
      fn.when(i32.geS(i, kept - 1), () => {
        last.set(i64.load(from, end));
        if (vectors > 0) bound.set(elements.splat(i32.add(first, i32.mul(i32.load(from, end), x.step))));
      });
    };
    /** Goes on with `next` behind elements that all come after the list. */
    const pass = (next: object) => {
      // Equal ones come behind what is there; whether NaN does is asked one by one.
      const isBehind = Array.from({ length: vectors }, (_, step) => {
        const each = elements.load(x.at, step * wide.width * x.step);
        return wide.compare(isDescending ? "le" : "ge", type, each, bound);
      }).reduce((a, b) => wide.binary("and", "bool", a, b));
      fn.block((leave) => {
        fn.branchIf(leave, i32.or(i32.ltS(i, kept), i32.gtS(i, count - points)));
        fn.branchIf(leave, wide.some(wide.unary("not", "bool", isBehind)));
        move(x.at, points * x.step);
        move(i, points);
        fn.branch(next);
      });
    };
    fn.block((done) =>
      fn.loop((next) => {
        fn.branchIf(done, i32.geS(i, count));
        if (vectors > 0) pass(next);
        stop.set(least(i32.add(i, points), count));
        fn.loop((again) => {
          setWord();
          key.set(i64.or(i64.shl(i64.extendI32U(word), 32n), i64.extendI32U(i)));
          fn.when(i64.ltS(key, last), insert);
          move(i, 1);
          fn.branchIf(again, i32.ltS(i, stop));
        });
        fn.branch(next);
      }),
    );
  };

  /** Keys are handed out by one digit of the word after another, the lowest first, from one list to the other. */
  const byDigits = () => {
    const to = fn.let(i32.add(scratch, keyBytes * count));
    const [at, number, sum] = [fn.local("i32"), fn.local("i32"), fn.local("i32")];
    const key = fn.local("i64");
    const table = fn.let(i32.add(scratch, 2 * keyBytes * count));
    const numberOf = (each: Code<"i32">, by: Local<"i32"> | number) =>
      i32.add(table, i32.shl(i32.and(i32.shrU(each, by), digitValues - 1), 2));
    fn.emit(memory.fill(table, 0, digits * tableBytes));
    at.set(from);
    countLoop(fn, 0, count, 1, (k) => {
      setWord();
      // In the order of numbers without a sign.
      word.set(i32.xor(word, -(2 ** 31)));
      fn.emit(i32.store(at, k), i32.store(at, word, wordAt));
      move(at, keyBytes);
      for (let digit = 0; digit < digits; digit++) {
        number.set(numberOf(word, digit * digitBits));
        fn.emit(i32.store(number, i32.add(i32.load(number, digit * tableBytes), 1), digit * tableBytes));
      }
    });
    /** How many keys have each digit becomes where the first of them goes. */
    const place = () => {
      sum.set(to);
      number.set(table);
      countLoop(fn, 0, digitValues, 1, () => {
        at.set(i32.load(number));
        fn.emit(i32.store(number, sum));
        sum.set(i32.add(sum, i32.shl(at, 3)));
        move(number, 4);
      });
    };
    const shift = fn.let(0);
    const handOut = () => {
      at.set(from);
      countLoop(fn, 0, count, 1, () => {
        key.set(i64.load(at));
        number.set(numberOf(i32.load(at, wordAt), shift));
        sum.set(i32.load(number));
        fn.emit(i32.store(number, i32.add(sum, keyBytes)), i64.store(sum, key));
        move(at, keyBytes);
      });
    };
    const swap = () => {
      at.set(from);
      from.set(to);
      to.set(at);
    };
    fn.loop((again) => {
      const isOne = i32.eq(i32.load(numberOf(i32.load(from, wordAt), shift)), count);
      fn.when(i32.eqz(isOne), () => {
        place();
        handOut();
        swap();
      });
      move(table, tableBytes);
      move(shift, digitBits);
      fn.branchIf(again, i32.ltS(shift, digits * digitBits));
    });
  };

  if (way === "insertion") insertion();
  else byDigits();
  countLoop(fn, 0, kept, 1, () => {
    fn.emit(i32.store(out.at, i32.load(from)));
    move(from, keyBytes);
    move(out.at, out.step);
  });
}
