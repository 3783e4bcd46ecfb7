// The order of a line's elements: each becomes a key whose integers ascend as the elements should, above its place, 64 bits together, so that no two
// are equal and the order of the places makes it stable.
import type { SortKernel } from "../../../../kernels/sort.ts";
import { digitValues, keyBytes } from "../../../schedule/line.ts";
import { block, branch, branchIf, type Code, type Local, loop, when } from "../assembler/assembler.ts";
import { f32, i32, i64, memory, select } from "../assembler/instructions.ts";
import type { Context } from "./context.ts";
import { along } from "./elements.ts";
import { Elements } from "./halves.ts";
import { countLoop, least } from "./nest.ts";
import type { Line } from "./rows.ts";

const digitBits = 8;
const digits = 32 / digitBits;
/** Bytes of the numbers that belong to one digit. */
const tableBytes = 4 * digitValues;
/** What a word is higher up than the place beside it. */
const wordAt = 4;

/** Prints one line. */
export function printSort(context: Context, { isDescending }: SortKernel, line: Line): readonly Code[] {
  const { fn, loops, row, words, scratch } = line;
  const { nest, axis, count } = loops;
  const { way, kept, vectors } = loops.sorting!;
  const ends = nest.inputs.map((input, i) => {
    const [at, set] = fn.hold(along(row.here[i].at, input.strides[axis] * input.scale, words));
    return { input, at, set, step: input.strides[axis + 1] * input.scale };
  });
  const [x, out] = ends;
  const { type } = x.input;
  const value = fn.local(type === "float32" ? "f32" : "i32");
  const word = fn.local("i32");
  /** Where the list of keys is. */
  const [from, setFrom] = fn.hold(scratch.get);
  const move = (each: Local<"i32">, by: number) => each.set(i32.add(each.get, i32.const(by)));
  const flip = (code: Code<"i32">) => (isDescending ? i32.xor(code, i32.const(-1)) : code);

  /** Sets `word` to the key of the next element. */
  const setWord = (): Code[] => {
    const read = value.set(new Elements(fn, line.lanes, x.input).load(x.at.get) as never);
    const next = move(x.at, x.step);
    const get = value.get as Code<"f32">;
    if (type !== "float32") return [read, next, word.set(flip(value.get as Code<"i32">))];
    return [
      read,
      next,
      // −0 as 0; of negative numbers the other bits descend.
      word.set(select(i32.const(0), i32.reinterpretF32(get), f32.eq(get, f32.const(0)))),
      word.set(i32.xor(word.get, i32.and(i32.shrS(word.get, i32.const(31)), i32.const(0x7fffffff)))),
      word.set(select(i32.const(0x7fffffff), flip(word.get), f32.ne(get, get))),
    ];
  };

  /** The list holds the first ones so far: a key that belongs there goes past larger ones, and the last of a full list goes out. */
  const insertion = (): Code[] => {
    const [write, stop] = [fn.local("i32"), fn.local("i32")];
    const [i, setI] = fn.hold(i32.const(0));
    const [last, setLast] = fn.hold(i64.const(2n ** 63n - 1n));
    const [key, other] = [fn.local("i64"), fn.local("i64")];
    const [first, setFirst] = fn.hold(x.at.get);
    const wide = context.lanes;
    const bound = fn.local(wide.valueType(type));
    const elements = new Elements(fn, wide, x.input);
    const points = vectors > 0 ? wide.width * vectors : count;
    const insert = [
      write.set(i32.add(from.get, i32.shl(least(i.get, i32.const(kept - 1)), i32.const(3)))),
      block((done) => [
        loop((again) => [
          branchIf(done, i32.eq(write.get, from.get)),
          other.set(i64.load(i32.sub(write.get, i32.const(keyBytes)))),
          branchIf(done, i64.ltS(other.get, key.get)),
          i64.store(write.get, other.get),
          move(write, -keyBytes),
          branch(again),
        ]),
      ]),
      i64.store(write.get, key.get),
    ];
    const end = keyBytes * (kept - 1);
    const place = i32.add(first.get, i32.mul(i32.load(from.get, end), i32.const(x.step)));
    const isFull = [
      last.set(i64.load(from.get, end)),
      ...(vectors > 0 ? [bound.set(elements.splat(place) as never)] : []),
    ];
    const one = [
      ...setWord(),
      key.set(i64.or(i64.shl(i64.extendI32U(word.get), i64.const(32n)), i64.extendI32U(i.get))),
      when(i64.ltS(key.get, last.get), [...insert, when(i32.geS(i.get, i32.const(kept - 1)), isFull)]),
      move(i, 1),
    ];
    // Equal ones come behind what is there; whether NaN does is asked one by one.
    const isBehind = (step: number) => {
      const each = elements.load(x.at.get, step * wide.width * x.step);
      return wide.compare(isDescending ? "le" : "ge", type, each, bound.get);
    };
    const pass = (next: Parameters<typeof branch>[0]) => {
      const behind = Array.from({ length: vectors }, (_, step) => isBehind(step));
      const all = behind.reduce((a, b) => wide.binary("and", "bool", a, b));
      return block((leave) => [
        branchIf(leave, i32.or(i32.ltS(i.get, i32.const(kept)), i32.gtS(i.get, i32.const(count - points)))),
        branchIf(leave, wide.some(wide.unary("not", "bool", all))),
        move(x.at, points * x.step),
        move(i, points),
        branch(next),
      ]);
    };
    const all = block((done) => [
      loop((next) => [
        branchIf(done, i32.geS(i.get, i32.const(count))),
        ...(vectors > 0 ? [pass(next)] : []),
        stop.set(least(i32.add(i.get, i32.const(points)), i32.const(count))),
        loop((again) => [...one, branchIf(again, i32.ltS(i.get, stop.get))]),
        branch(next),
      ]),
    ]);
    return [setI, setLast, setFirst, all];
  };

  /** Keys are handed out by one digit of the word after another, the lowest first, from one list to the other. */
  const byDigits = (): Code[] => {
    const [to, setTo] = fn.hold(i32.add(scratch.get, i32.const(keyBytes * count)));
    const [at, number, sum] = [fn.local("i32"), fn.local("i32"), fn.local("i32")];
    const key = fn.local("i64");
    const [table, setTable] = fn.hold(i32.add(scratch.get, i32.const(2 * keyBytes * count)));
    const [shift, setShift] = fn.hold(i32.const(0));
    const numberOf = (each: Code<"i32">, by: Code<"i32">) =>
      i32.add(table.get, i32.shl(i32.and(i32.shrU(each, by), i32.const(digitValues - 1)), i32.const(2)));
    const keys = (body: readonly Code[]) => [
      at.set(from.get),
      ...countLoop(fn, 0, count, 1, () => [...body, move(at, keyBytes)]),
    ];
    const counted = Array.from({ length: digits }, (_, digit) => [
      number.set(numberOf(word.get, i32.const(digit * digitBits))),
      i32.store(number.get, i32.add(i32.load(number.get, digit * tableBytes), i32.const(1)), digit * tableBytes),
    ]).flat();
    const fill = [
      memory.fill(table.get, i32.const(0), i32.const(digits * tableBytes)),
      at.set(from.get),
      ...countLoop(fn, 0, count, 1, (k) => [
        ...setWord(),
        // In the order of numbers without a sign.
        word.set(i32.xor(word.get, i32.const(-(2 ** 31)))),
        i32.store(at.get, k.get),
        i32.store(at.get, word.get, wordAt),
        move(at, keyBytes),
        ...counted,
      ]),
    ];
    /** How many keys have each digit becomes where the first of them goes. */
    const places = [
      sum.set(to.get),
      number.set(table.get),
      ...countLoop(fn, 0, digitValues, 1, () => [
        at.set(i32.load(number.get)),
        i32.store(number.get, sum.get),
        sum.set(i32.add(sum.get, i32.shl(at.get, i32.const(3)))),
        move(number, 4),
      ]),
    ];
    const handOut = keys([
      key.set(i64.load(at.get)),
      number.set(numberOf(i32.load(at.get, wordAt), shift.get)),
      sum.set(i32.load(number.get)),
      i32.store(number.get, i32.add(sum.get, i32.const(keyBytes))),
      i64.store(sum.get, key.get),
    ]);
    const isOne = i32.eq(i32.load(numberOf(i32.load(from.get, wordAt), shift.get)), i32.const(count));
    const swap = [at.set(from.get), from.set(to.get), to.set(at.get)];
    const pass = loop((again) => [
      when(i32.eqz(isOne), [...places, ...handOut, ...swap]),
      move(table, tableBytes),
      move(shift, digitBits),
      branchIf(again, i32.ltS(shift.get, i32.const(digits * digitBits))),
    ]);
    return [setTo, setTable, ...fill, setShift, pass];
  };

  return [
    ...ends.map(({ set }) => set),
    setFrom,
    ...(way === "insertion" ? insertion() : byDigits()),
    ...countLoop(fn, 0, kept, 1, () => [
      i32.store(out.at.get, i32.load(from.get)),
      move(from, keyBytes),
      move(out.at, out.step),
    ]),
  ];
}
