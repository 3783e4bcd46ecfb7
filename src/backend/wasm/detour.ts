// The long side of a choice, only for the elements of a strip that need it: what it starts from is moved together, its stages run over that,
// and what they give is put back in its place. Where most elements need it they all take it. Each element goes through the same operations.

import type { Detour } from "../../schedule/stages.ts";
import { branchIf, type Code, type FunctionBuilder, type Local, loop, when } from "./assembler.ts";
import { i8x16, i32, i32x4, v128 } from "./instructions.ts";

/** For each of the 16 sets of lanes, which bytes to take: to move the set's lanes together, and to put them back. */
const bytes = 2 * 16 * 16;
const nothing = 0xffffffff;
const wordOf = (lane: number) => 0x03020100 + 0x04040404 * lane;

function patterns(): Code<"v128">[] {
  const sets = Array.from({ length: 16 }, (_, set) => [0, 1, 2, 3].filter((lane) => set & (1 << lane)));
  const together = sets.map((lanes) => [0, 1, 2, 3].map((at) => (at < lanes.length ? wordOf(lanes[at]) : nothing)));
  const apart = sets.map((lanes) =>
    [0, 1, 2, 3].map((lane) => (lanes.includes(lane) ? wordOf(lanes.indexOf(lane)) : nothing)),
  );
  return [...together, ...apart].map(([a, b, c, d]) => v128.const(a, b, c, d));
}

/** Where slots are: `slotBytes` apart from `base` + `words` on, and once more behind them for what was moved together; the patterns last. */
export interface Slots {
  readonly base: Local<"i32">;
  readonly slotBytes: number;
  readonly count: number;
}

export class DetourPrinter {
  /** Bytes of a strip's scratch memory. */
  static bytes = ({ slotBytes, count }: Omit<Slots, "base">): number => 2 * slotBytes * count + bytes;
  /** The slots' base and the end of the words while the detour's stages run. */
  readonly base: Local<"i32">;
  readonly to: Local<"i32">;
  readonly #detour: Detour;
  readonly #slots: Slots;
  readonly #words: Local<"i32">;
  readonly #from: Local<"i32">;
  readonly #stripTo: Local<"i32">;
  readonly #packed: Local<"i32">;
  readonly #table: Local<"i32">;
  readonly #set: Local<"i32">;

  /** Strips run from `from` to `to`, in bytes of words. */
  constructor(
    fn: FunctionBuilder,
    detour: Detour,
    slots: Slots,
    { words, from, to }: { words: Local<"i32">; from: Local<"i32">; to: Local<"i32"> },
  ) {
    this.base = fn.local("i32");
    this.to = fn.local("i32");
    this.#detour = detour;
    this.#slots = slots;
    this.#words = words;
    this.#from = from;
    this.#stripTo = to;
    this.#packed = fn.local("i32");
    this.#table = fn.local("i32");
    this.#set = fn.local("i32");
  }

  /** Writes the patterns, once; `start` is where the slots begin. */
  before(start: Code<"i32">): Code[] {
    const at = this.#table;
    return [
      at.set(i32.add(start, i32.const(2 * this.#region))),
      ...patterns().map((pattern, i) => v128.store(at.get, pattern, 16 * i)),
    ];
  }

  get #region(): number {
    return this.#slots.slotBytes * this.#slots.count;
  }

  #at(where: Local<"i32">, slot: number): [Code<"i32">, number] {
    return [i32.add(this.#slots.base.get, where.get), this.#slots.slotBytes * slot];
  }

  /** Over the strip's vectors: `body` with the address of the pattern's table entry, and `packed` moving on by the lanes of the set. */
  #vectors(body: (pattern: Code<"v128">) => Code[], table: number): Code {
    const { condition, side } = this.#detour;
    const [at, offset] = this.#at(this.#words, condition);
    const mask = i32x4.bitmask(v128.load(at, offset));
    return loop((next) => [
      this.#set.set(side ? mask : i32.xor(mask, i32.const(15))),
      ...body(v128.load(i32.add(this.#table.get, i32.shl(this.#set.get, i32.const(4))), table)),
      this.#packed.set(i32.add(this.#packed.get, i32.shl(i32.popcnt(this.#set.get), i32.const(2)))),
      branchIf(next, i32.ltS(this.#words.tee(i32.add(this.#words.get, i32.const(16))), this.#stripTo.get)),
    ]);
  }

  /** Before the detour's stages. `roundBytes`: what their loops take at a time. */
  enter(roundBytes: number): Code[] {
    const { takes } = this.#detour;
    const [packed, from, to] = [this.#packed, this.#from, this.#stripTo];
    const size = i32.sub(packed.get, from.get);
    const isMost = i32.gtS(i32.shl(size, i32.const(2)), i32.mul(i32.sub(to.get, from.get), i32.const(3)));
    return [
      packed.set(from.get),
      this.#words.set(from.get),
      this.#vectors(
        (pattern) =>
          takes.map((slot) => {
            const [read, offset] = this.#at(this.#words, slot);
            const [write] = this.#at(packed, slot);
            return v128.store(write, i8x16.swizzle(v128.load(read, offset), pattern), this.#region + offset);
          }),
        0,
      ),
      when(
        isMost,
        [this.base.set(this.#slots.base.get), this.to.set(to.get)],
        [
          this.base.set(i32.add(this.#slots.base.get, i32.const(this.#region))),
          this.to.set(i32.add(from.get, i32.and(i32.add(size, i32.const(roundBytes - 1)), i32.const(-roundBytes)))),
        ],
      ),
    ];
  }

  /** After them. */
  leave(): Code[] {
    const { gives } = this.#detour;
    const [write, offset] = this.#at(this.#words, gives);
    const [read] = this.#at(this.#packed, gives);
    return [
      when(i32.ne(this.base.get, this.#slots.base.get), [
        this.#packed.set(this.#from.get),
        this.#words.set(this.#from.get),
        this.#vectors(
          (pattern) => [v128.store(write, i8x16.swizzle(v128.load(read, this.#region + offset), pattern), offset)],
          16 * 16,
        ),
      ]),
    ];
  }
}
