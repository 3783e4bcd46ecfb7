// What random programs choose from: the values there are, in the dtypes and shapes that an op takes.
import type { DType } from "../../src/core/dtype.ts";
import { DTypeError, GradError, ShapeError } from "../../src/core/errors.ts";
import { type Shape, sameShape, sizeOf } from "../../src/core/shape.ts";
import type { Node } from "../../src/graph/node.ts";
import { broadcastTo, full } from "../../src/ops/define.ts";
import { functions as f } from "./functions.ts";

/** The values there are, and what decides. */
export interface Pool {
  pick(below: number): number;
  readonly values: readonly Node[];
  /** How many loops, or functions on batches, this is the body of. */
  readonly depth: number;
  /** What extents are multiples of, or nearly: 1 unless given. */
  readonly scale?: number;
  /** Whether some indices are out of range, so that runs are refused. */
  readonly strays?: boolean;
  /** What grows most. */
  readonly favoured?: readonly Grow[];
  /** Whether gradients are derivatives: nothing that has another by intent. */
  readonly derivable?: boolean;
}

/** One value more, or several of one op. */
export type Grow = (pool: Pool) => Node | readonly Node[];

const { add, cast, reshape, transpose, slice } = f;

export const one = <T>({ pick }: Pick<Pool, "pick">, list: readonly T[]): T => list[pick(list.length)];
/** Of any dtype; the newest where the choices are 0, and one of the newest half the time, so that much is computed from what was computed. */
export const any = ({ pick, values }: Pick<Pool, "pick" | "values">): Node =>
  values[values.length - 1 - pick(pick(2) ? values.length : Math.min(values.length, 3))];

/** Of a dtype, cast where need be; most are of it by themselves, since a cast ends most gradients. */
export function of(pool: Pool, dtype: DType): Node {
  const own = pool.values.filter((x) => x.dtype === dtype);
  const x = any(own.length > 0 && pool.pick(4) < 3 ? { ...pool, values: own } : pool);
  return x.dtype === dtype ? x : cast(x, dtype);
}
export const float = (pool: Pool) => of(pool, "float32");

/** x's elements in a shape: as many as it takes, again and again where they are too few. */
export function sized(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const [have, wanted] = [sizeOf(x.shape), sizeOf(shape)];
  if (have === 0 || wanted === 0) return broadcastTo(full([], 1, x.dtype), shape);
  const flat = reshape(x, [-1]);
  const long = have < wanted ? f.tile(flat, [Math.ceil(wanted / have)]) : flat;
  return reshape(sizeOf(long.shape) === wanted ? long : slice(long, [[0, wanted]]), shape);
}

/** Floats of a shape, some as a view. */
export function floats(pool: Pool, shape: Shape): Node {
  const x = float(pool);
  return pool.pick(3) === 2 ? transpose(sized(x, [...shape].reverse())) : sized(x, shape);
}

/** Indices below an extent, and none below 0 unless some stray. */
export function indices(pool: Pool, shape: Shape, below: number): Node {
  if (below === 0)
    throw new ShapeError({ where: "indices", problem: "nothing to read", got: "0", expected: "an extent" });
  const x = sized(of(pool, "int32"), shape);
  return pool.strays && pool.pick(16) === 15 ? x : f.minimum(f.maximum(x, 0), below - 1);
}

export const extents = ({ pick, scale = 1 }: Pool, rank: number, least = 1): number[] =>
  Array.from({ length: rank }, () => least + pick(3) * scale);
export const smallShape = (pool: Pool): Shape => extents(pool, pool.pick(4));
/** An axis, or several, or none. */
export const axesOf = (pool: Pool, x: Node) => x.shape.map((_, axis) => axis).filter(() => pool.pick(2) === 1);
/** One with an axis at least, and the axis. */
export function withAxis(pool: Pool, x = any(pool)): [Node, number] {
  const wide = x.shape.length ? x : reshape(x, [1]);
  return [wide, pool.pick(wide.shape.length)];
}
/** x, or of its places along an axis some in a row or those that data says: by what is read of it, less may be computed. */
export function partly(pool: Pool, x: Node, axis: number): Node {
  const count = x.shape[axis];
  const some = 1 + pool.pick(3);
  switch (pool.pick(6)) {
    case 0:
    case 1:
      return x;
    case 2: {
      const from = pool.pick(2) * pool.pick(count + 1);
      const row = [from, Math.min(count, from + some)] as const;
      return slice(
        x,
        x.shape.map((_, i) => (i === axis ? row : null)),
      );
    }
    default: {
      const shape = x.shape.map((extent, i) => (i === axis ? some : extent));
      return f.gather(x, indices(pool, shape, count), axis);
    }
  }
}
/** A matrix, some in a batch; small enough for what takes a power of its extents. */
export function matrix(pool: Pool, shape: Shape = extents(pool, 2)): Node {
  return floats(pool, pool.pick(4) === 3 ? [2, ...shape] : shape);
}
export function square(pool: Pool): Node {
  const n = 1 + pool.pick(4);
  return matrix(pool, [n, n]);
}
export const definite = (pool: Pool): Node => {
  const x = square(pool);
  return add(f.matmul(x, f.swapAxes(x)), f.eye(x.shape[x.shape.length - 1]));
};

/** What the body gives, or nothing where an op refuses its operands. */
export function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof ShapeError || error instanceof DTypeError || error instanceof GradError) return undefined;
    throw error;
  }
}
