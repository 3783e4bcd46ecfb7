// Grids of numbers: evenly spaced points, coordinates of products of vectors, and tensors filled as another one is shaped.
import type { DType } from "../core/dtype.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { power } from "../core/real.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { dtypeKind, number, oneOf, options as optionsOf, takes, tensor, tensors } from "./arguments.ts";
import { constant } from "./creation.ts";
import { broadcastTo, full } from "./define.ts";
import { reshape } from "./movement.ts";

/** `count` numbers in float64: start + i·((stop − start) ÷ (count − 1)), the last one `stop` itself. */
function spaced(where: string, start: number, stop: number, count: number): number[] {
  if (!Number.isFinite(start) || !Number.isFinite(stop) || !Number.isSafeInteger(count) || count < 0) {
    const problem = "not evenly spaced points";
    refuse(ShapeError, where, problem, `${count} from ${start} to ${stop}`, "a count ≥ 0, and finite ends");
  }
  const step = count > 1 ? (stop - start) / (count - 1) : 0;
  return Array.from({ length: count }, (_, i) => (i > 0 && i === count - 1 ? stop : start + i * step));
}

/** `count` evenly spaced numbers, both ends included: start + i·((stop − start) ÷ (count − 1)) in float64, each rounded once. → [count] float32. Throws ShapeError. @torch torch.linspace */
export function linspace(start: number, stop: number, count: number): Node {
  return constant(Float32Array.from(spaced("linspace", start, stop, count)), [count], "float32");
}

/** baseˣ for `count` evenly spaced x from start to stop: in float64 by this library's own power, the same on every engine, each rounded once. → [count] float32. Throws ShapeError. @torch torch.logspace */
export function logspace(start: number, stop: number, count: number, base = 10): Node {
  if (!(base > 0 && base < Infinity)) refuse(ShapeError, "logspace", "base is out of range", base, "a number > 0");
  const powers = spaced("logspace", start, stop, count).map((x) => power(base, x));
  return constant(Float32Array.from(powers), [count], "float32");
}

/** How a grid's axes stand to its vectors. */
export interface MeshgridOptions {
  /** "ij": axis i is of vector i (PyTorch's default). "xy": the first two are exchanged (NumPy's default). There is no default here. */
  readonly indexing: "ij" | "xy";
}

/** Coordinates of the grid that vectors span, one tensor for each of them: [a], [b] → two of [a, b], or of [b, a] with indexing "xy". Throws ShapeError. @torch torch.meshgrid */
export function meshgrid(vectors: readonly Node[], options: MeshgridOptions): Node[] {
  const { indexing } = options;
  const shapes = vectors.map((vector) => vector.shape);
  if (vectors.length === 0 || shapes.some(({ length }) => length !== 1)) {
    const problem = "a grid is spanned by vectors";
    refuse(ShapeError, "meshgrid", problem, shapes.map(formatShape).join(" and ") || "none", "at least one [n]");
  }
  const place = (i: number) => (indexing === "xy" && vectors.length > 1 && i < 2 ? 1 - i : i);
  const shape = vectors.map((_, axis) => vectors[place(axis)].shape[0]);
  return vectors.map((vector, i) => {
    const along = shape.map((_, axis) => (axis === place(i) ? sizeOf(vector.shape) : 1));
    return broadcastTo(reshape(vector, along), shape);
  });
}

/** A tensor of one number with another's shape, and its dtype unless one is given. Throws DTypeError on a number that the dtype can't hold. @torch torch.full_like */
export function fullLike(x: Node, value: number, dtype: DType = x.dtype): Node {
  return full(x.shape, value, dtype);
}

/** Zeros with another tensor's shape, and its dtype unless one is given. @torch torch.zeros_like */
export function zerosLike(x: Node, dtype?: DType): Node {
  return fullLike(x, 0, dtype);
}

/** Ones with another tensor's shape, and its dtype unless one is given. @torch torch.ones_like */
export function onesLike(x: Node, dtype?: DType): Node {
  return fullLike(x, 1, dtype);
}

takes({ linspace }, { start: number, stop: number, count: number });
takes({ logspace }, { start: number, stop: number, count: number, "base?": number });
takes(
  { meshgrid },
  { vectors: tensors, options: optionsOf<MeshgridOptions>({ indexing: oneOf(["ij", "xy"]) }) },
  'the vectors are one list: meshgrid([x, y], { indexing: "ij" })',
);
takes({ fullLike }, { x: tensor, value: number, "dtype?": dtypeKind });
takes({ zerosLike, onesLike }, { x: tensor, "dtype?": dtypeKind });
