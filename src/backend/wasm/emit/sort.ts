// The order of a line's elements: each becomes a key whose integers ascend as the elements should, above its place, 64 bits together, so that no two
// are equal and the order of the places makes it stable. Runs of 8 by insertion, then merged, from one list to the other.
import type { SortKernel } from "../../../../kernels/sort.ts";
import { block, branchIf, type Code, type Local, loop, when } from "../assembler/assembler.ts";
import { f32, i32, i64, memory, select } from "../assembler/instructions.ts";
import { along } from "./elements.ts";
import { Elements } from "./halves.ts";
import { countLoop } from "./nest.ts";
import type { Line } from "./rows.ts";

const run = 8;
const bytes = 8;

/** Prints one line. */
export function printSort({ isDescending }: SortKernel, line: Line): readonly Code[] {
  const { fn, loops, lanes, row, words, scratch } = line;
  const { nest, axis, count } = loops;
  const ends = nest.inputs.map((input, i) => {
    const [at, set] = fn.hold(along(row.here[i].at, input.strides[axis] * input.scale, words));
    return { input, at, set, step: input.strides[axis + 1] * input.scale };
  });
  const [x, out] = ends;
  const isFloat = x.input.type === "float32";
  const local = () => fn.local("i32");
  const [from, to, left, right, middle, end, write, width, isLess] = Array.from({ length: 9 }, local);
  const value = fn.local(isFloat ? "f32" : "i32");
  const [key, other] = [fn.local("i64"), fn.local("i64")];
  const word = local();
  const limit = i32.add(from.get, i32.const(bytes * count));
  const move = (each: Local<"i32">, by: Code<"i32">) => each.set(i32.add(each.get, by));
  const least = (a: Code<"i32">, b: Code<"i32">) => select(a, b, i32.ltU(a, b));
  const flip = (code: Code<"i32">) => (isDescending ? i32.xor(code, i32.const(-1)) : code);

  const setKey = (): Code[] => {
    const read = value.set(new Elements(fn, lanes, x.input).load(x.at.get) as never);
    const get = value.get as Code<"f32">;
    if (!isFloat) return [read, word.set(flip(value.get as Code<"i32">))];
    return [
      read,
      // −0 as 0; of negative numbers the other bits descend.
      word.set(select(i32.const(0), i32.reinterpretF32(get), f32.eq(get, f32.const(0)))),
      word.set(i32.xor(word.get, i32.and(i32.shrS(word.get, i32.const(31)), i32.const(0x7fffffff)))),
      word.set(select(i32.const(0x7fffffff), flip(word.get), f32.ne(get, get))),
    ];
  };
  const fill = countLoop(fn, 0, count, 1, (k) => [
    ...setKey(),
    key.set(i64.or(i64.shl(i64.extendI32U(word.get), i64.const(32n)), i64.extendI32U(k.get))),
    // Down its run past larger ones.
    write.set(i32.add(from.get, i32.mul(k.get, i32.const(bytes)))),
    left.set(i32.add(from.get, i32.mul(i32.and(k.get, i32.const(-run)), i32.const(bytes)))),
    block((done) => [
      loop((again) => [
        branchIf(done, i32.eq(write.get, left.get)),
        other.set(i64.load(i32.sub(write.get, i32.const(bytes)))),
        branchIf(done, i64.ltS(other.get, key.get)),
        i64.store(write.get, other.get),
        move(write, i32.const(-bytes)),
        branchIf(again, i32.const(1)),
      ]),
    ]),
    i64.store(write.get, key.get),
    move(x.at, i32.const(x.step)),
  ]);
  const copy = (begin: Local<"i32">, stop: Local<"i32">) => {
    const length = () => i32.sub(stop.get, begin.get);
    return when(i32.ltU(begin.get, stop.get), [memory.copy(write.get, begin.get, length()), move(write, length())]);
  };
  const merge: Code[] = [
    middle.set(least(i32.add(left.get, width.get), limit)),
    right.set(middle.get),
    end.set(least(i32.add(middle.get, width.get), limit)),
    block((done) => [
      branchIf(done, i32.eq(right.get, end.get)),
      loop((again) => [
        key.set(i64.load(left.get)),
        other.set(i64.load(right.get)),
        isLess.set(i64.ltS(key.get, other.get)),
        i64.store(write.get, select(key.get, other.get, isLess.get)),
        move(write, i32.const(bytes)),
        move(left, i32.shl(isLess.get, i32.const(3))),
        move(right, i32.shl(i32.eqz(isLess.get), i32.const(3))),
        branchIf(again, i32.and(i32.ltU(left.get, middle.get), i32.ltU(right.get, end.get))),
      ]),
    ]),
    copy(left, middle),
    copy(right, end),
    left.set(end.get),
  ];
  const pass: Code[] = [
    left.set(from.get),
    write.set(to.get),
    loop((again) => [...merge, branchIf(again, i32.ltU(left.get, limit))]),
    word.set(from.get),
    from.set(to.get),
    to.set(word.get),
    width.set(i32.shl(width.get, i32.const(1))),
  ];
  return [
    ...ends.map(({ set }) => set),
    from.set(scratch.get),
    to.set(i32.add(scratch.get, i32.const(bytes * count))),
    ...fill,
    width.set(i32.const(bytes * run)),
    ...(count > run ? [loop((again) => [...pass, branchIf(again, i32.ltU(width.get, i32.const(bytes * count)))])] : []),
    ...countLoop(fn, 0, count, 1, () => [
      i32.store(out.at.get, i32.wrapI64(i64.load(from.get))),
      move(from, i32.const(bytes)),
      move(out.at, i32.const(out.step)),
    ]),
  ];
}
