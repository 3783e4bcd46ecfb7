// Packing for the matrix product: panels of 4 rows of the left operand as [depth][4], panels of 8 or 16 columns of the right one as [depth][columns].
// Any strides are read; what is contiguous one way or the other goes by vectors. 16-bit floats are widened on the way.
import { elementBytes, type Stored } from "../../../../kernels/kernel.ts";
import type { Operand } from "../../../schedule/product.ts";
import { type Code, type FunctionBuilder, type Local, when } from "../assembler.ts";
import type { Context } from "../context.ts";
import { Elements } from "../halves.ts";
import { f32, i32, memory, shuffle32, v128 } from "../instructions.ts";
import { countLoop } from "../nest.ts";

/** How an operand's elements are read, and the bytes each takes; packed ones are float32. */
interface Reading {
  readonly bytes: number;
  four(address: Code<"i32">, offset?: number): Code<"v128">;
  one(address: Code<"i32">): Code<"f32">;
}

function reading({ lanes, single }: Context, fn: FunctionBuilder, storage: Stored["storage"]): Reading {
  const [wide, narrow] = [lanes, single].map((each) => new Elements(fn, each, { type: "float32", storage }));
  return {
    bytes: elementBytes({ dtype: "float32", storage }),
    four: (address, offset) => wide.load(address, offset) as Code<"v128">,
    one: (address) => narrow.load(address) as Code<"f32">,
  };
}

const nameOf = (side: string, { layout, storage }: Pick<Operand, "layout" | "storage">) =>
  `pack ${side} ${layout} ${storage ?? ""}`;

type Transposed = { readonly code: readonly Code[]; readonly rows: readonly Code<"v128">[] };

/** Four vectors as the rows of a 4×4 matrix → its columns. */
function transpose(fn: FunctionBuilder, rows: readonly Code<"v128">[]): Transposed {
  const held = rows.map((row) => fn.hold(row));
  const [a, b, c, d] = held.map(([local]) => local);
  const pairs = [
    fn.hold(shuffle32(a.get, b.get, [0, 4, 1, 5])),
    fn.hold(shuffle32(a.get, b.get, [2, 6, 3, 7])),
    fn.hold(shuffle32(c.get, d.get, [0, 4, 1, 5])),
    fn.hold(shuffle32(c.get, d.get, [2, 6, 3, 7])),
  ];
  const [abLow, abHigh, cdLow, cdHigh] = pairs.map(([local]) => local);
  return {
    code: [...held, ...pairs].map(([, set]) => set),
    rows: [
      shuffle32(abLow.get, cdLow.get, [0, 1, 4, 5]),
      shuffle32(abLow.get, cdLow.get, [2, 3, 6, 7]),
      shuffle32(abHigh.get, cdHigh.get, [0, 1, 4, 5]),
      shuffle32(abHigh.get, cdHigh.get, [2, 3, 6, 7]),
    ],
  };
}

/**
 * Packs groups of four lines (rows of the left operand, columns of the right) that lie along the depth, by 4×4 transposes: to[k][lane].
 * `lines` are the addresses of the lines at depth 0; a packed term takes `pitch` bytes.
 */
function packAlong(
  fn: FunctionBuilder,
  { four, one, bytes }: Reading,
  lines: readonly Local<"i32">[],
  to: Local<"i32">,
  depth: Local<"i32">,
  pitch: number,
): Code[] {
  const groups = Array.from({ length: lines.length / 4 }, (_, group) => lines.slice(4 * group, 4 * group + 4));
  const advance = (terms: number) => [
    ...lines.map((line) => line.set(i32.add(line.get, i32.const(bytes * terms)))),
    to.set(i32.add(to.get, i32.const(pitch * terms))),
  ];
  const [fours, setFours] = fn.hold(i32.and(depth.get, i32.const(-4)));
  return [
    setFours,
    ...countLoop(fn, 0, fours, 4, () => [
      ...groups.flatMap((group, g) => {
        const { code, rows } = transpose(
          fn,
          group.map((line) => four(line.get)),
        );
        return [...code, ...rows.map((row, k) => v128.store(to.get, row, pitch * k + 16 * g))];
      }),
      ...advance(4),
    ]),
    ...countLoop(fn, fours, depth, 1, () => [
      ...lines.map((line, lane) => f32.store(to.get, one(line.get), 4 * lane)),
      ...advance(1),
    ]),
  ];
}

/** (line 0, …, line 3, to, depth, stride): four rows of the left operand; `stride` is bytes from term to term. */
export function packLeft(context: Context, operand: Pick<Operand, "layout" | "storage">): FunctionBuilder {
  const { layout, storage } = operand;
  const name = nameOf("left", operand);
  return context.shared(name, () => {
    const fn = context.module.function(name, ["i32", "i32", "i32", "i32", "i32", "i32", "i32"]);
    const lines = fn.parameters.slice(0, 4) as Local<"i32">[];
    const read = reading(context, fn, storage);
    const [to, depth, stride] = fn.parameters.slice(4) as Local<"i32">[];
    if (layout === "along") {
      fn.body(...packAlong(fn, read, lines, to, depth, 16));
      return fn;
    }
    const term =
      layout === "across"
        ? [v128.store(to.get, read.four(lines[0].get))]
        : lines.map((line, lane) => f32.store(to.get, read.one(line.get), 4 * lane));
    const moving = layout === "across" ? [lines[0]] : lines;
    fn.body(
      ...countLoop(fn, 0, depth, 1, () => [
        ...term,
        ...moving.map((line) => line.set(i32.add(line.get, stride.get))),
        to.set(i32.add(to.get, i32.const(16))),
      ]),
    );
    return fn;
  });
}

/** (from, to, depth, stride): `groups` panels of 4 rows at once, where rows are neighbours in memory; panels lie `pitch` bytes apart. */
export function packLeftGroup(context: Context, operand: Operand, groups: number, pitch: number): FunctionBuilder {
  const name = nameOf(`left ${groups}`, operand);
  return context.shared(name, () => {
    const fn = context.module.function(name, ["i32", "i32", "i32", "i32"]);
    const [from, to, depth, stride] = fn.parameters as Local<"i32">[];
    const { four, bytes } = reading(context, fn, operand.storage);
    fn.body(
      ...countLoop(fn, 0, depth, 1, () => [
        ...Array.from({ length: groups }, (_, g) => v128.store(to.get, four(from.get, 4 * bytes * g), pitch * g)),
        from.set(i32.add(from.get, stride.get)),
        to.set(i32.add(to.get, i32.const(16))),
      ]),
    );
    return fn;
  });
}

/** (from, to, depth, stride, panels, pitch): whole panels of the right operand, whose rows are read in order. */
export function packRightRows(context: Context, operand: Operand, width: number): FunctionBuilder {
  const name = nameOf(`right rows ${width}`, operand);
  return context.shared(name, () => {
    const { storage } = operand;
    const fn = context.module.function(name, ["i32", "i32", "i32", "i32", "i32", "i32"]);
    const [from, to, depth, stride, panels, pitch] = fn.parameters as Local<"i32">[];
    const [read, write] = [fn.local("i32"), fn.local("i32")];
    const { four, bytes } = reading(context, fn, storage);
    const vectors = Array.from({ length: width / 4 }, () => fn.local("v128"));
    const row = () => [
      read.set(from.get),
      write.set(to.get),
      ...countLoop(fn, 0, panels, 1, () => [
        ...vectors.map((vector, i) => vector.set(four(read.get, 4 * bytes * i))),
        ...vectors.map((vector, i) => v128.store(write.get, vector.get, 16 * i)),
        read.set(i32.add(read.get, i32.const(bytes * width))),
        write.set(i32.add(write.get, pitch.get)),
      ]),
      from.set(i32.add(from.get, stride.get)),
      to.set(i32.add(to.get, i32.const(4 * width))),
    ];
    fn.body(...countLoop(fn, 0, depth, 1, row));
    return fn;
  });
}

/** (from, to, depth, stride, across, columns): a panel of the right operand, for `across` one with fewer columns than it is wide; columns lie `across` bytes apart, missing ones become 0. */
export function packRight(context: Context, operand: Operand, width: number): FunctionBuilder {
  const { layout, storage } = operand;
  const name = nameOf(`right ${width}`, operand);
  return context.shared(name, () => {
    const fn = context.module.function(name, ["i32", "i32", "i32", "i32", "i32", "i32"]);
    const [from, to, depth, stride, across, columns] = fn.parameters as Local<"i32">[];
    const read = reading(context, fn, storage);
    const bytes = i32.mul(depth.get, i32.const(4 * width));
    const element = fn.local("i32");
    const partial = [
      memory.fill(to.get, i32.const(0), bytes),
      ...countLoop(fn, 0, depth, 1, () => [
        element.set(from.get),
        ...countLoop(fn, 0, columns, 1, (j) => [
          f32.store(i32.add(to.get, i32.shl(j.get, i32.const(2))), read.one(element.get)),
          element.set(i32.add(element.get, across.get)),
        ]),
        from.set(i32.add(from.get, stride.get)),
        to.set(i32.add(to.get, i32.const(4 * width))),
      ]),
    ];
    // Whole panels of rows that lie in order are packRightRows'.
    if (layout === "across") fn.body(...partial);
    else fn.body(when(i32.ltS(columns.get, i32.const(width)), partial, whole()));
    return fn;

    function whole(): Code[] {
      const lines = Array.from({ length: width }, () => fn.local("i32"));
      const spread = lines.map((line, j) => line.set(i32.add(from.get, i32.mul(across.get, i32.const(j)))));
      if (layout === "along") return [...spread, ...packAlong(fn, read, lines, to, depth, 4 * width)];
      return [
        ...spread,
        ...countLoop(fn, 0, depth, 1, () => [
          ...lines.map((line, j) => f32.store(to.get, read.one(line.get), 4 * j)),
          ...lines.map((line) => line.set(i32.add(line.get, stride.get))),
          to.set(i32.add(to.get, i32.const(4 * width))),
        ]),
      ];
    }
  });
}
