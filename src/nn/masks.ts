// Which keys a query of attention sees, as a batch says it.
import { DTypeError, refuse, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { logicalAnd, reshape, where as select } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Reads } from "./module.ts";

/** What a batch says of the keys that queries see. */
export type Masks = Reads<"mask" | "keyMask">;

/** The mask over [batch, heads, queries, keys] that a mask of scores and one of keys come to. Throws ShapeError, DTypeError. */
export function joinedMask(where: string, { mask, keyMask }: Masks, batch: number, keys: number): Tensor | undefined {
  const wide = mask?.rank === 3 ? reshape(mask, [mask.shape[0], 1, ...mask.shape.slice(1)]) : mask;
  if (!keyMask) return wide;
  const place = `${where}.keyMask`;
  if (!sameShape(keyMask.shape, [batch, keys]))
    refuse(ShapeError, place, "not one for each key", keyMask, formatShape([batch, keys]));
  if (keyMask.dtype !== "bool")
    refuse(DTypeError, place, "a mask of another dtype", keyMask.dtype, "bool, true where there is a key");
  const seen = reshape(keyMask, [batch, 1, 1, keys]);
  if (!wide) return seen;
  return wide.dtype === "bool" ? logicalAnd(seen, wide) : select(seen, wide, -Infinity);
}
