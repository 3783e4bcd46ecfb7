// An index that is data is held against its axis when it is read: one outside is an error of the run.
import { ShapeError } from "../src/core/errors.ts";

/** An index out of range, of a plan's kernel: who runs a graph knows which of its ops asked. */
export class OutOfRange extends ShapeError {
  /** How long the axis is. */
  readonly extent: number;

  constructor(got: string, extent: number) {
    super({ where: "run", problem: "an index is out of range", got, expected: `an integer in [0, ${extent})` });
    this.name = "ShapeError";
    this.extent = extent;
  }
}
