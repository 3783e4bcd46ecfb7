// An index that is data is held against its axis when it is read: one outside is an error of the run.
import { ShapeError } from "../src/core/errors.ts";

/** How long the axis is, and who asks. */
export interface Asked {
  readonly extent: number;
  readonly where: string;
  readonly site?: string;
}

/** What is thrown for an index out of range. */
export const outOfRange = (got: string, { extent, where, site }: Asked) =>
  new ShapeError({
    where,
    problem: "an index is out of range",
    got,
    expected: `an integer in [0, ${extent})`,
    hint: site && `the op was made at ${site}`,
  });
