// Checks on layers' sizes.
import { ShapeError } from "../core/errors.ts";

/** Throws ShapeError unless the value is an integer ≥ 1. */
export function checkCount(where: string, what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new ShapeError({
      where: `nn.${where}`,
      problem: `${what} isn't a count`,
      got: String(value),
      expected: "an integer ≥ 1",
    });
  }
}
