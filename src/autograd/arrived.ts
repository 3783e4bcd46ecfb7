// What has arrived of one node's gradient, in the order of its consumers: parts over all its points are added as they come; parts that land on some
// of them wait for each other, so that each costs what it holds, not what it lands on.
import type { Place } from "../../kernels/assemble.ts";
import type { Shape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { assemble } from "../ops/assemble.ts";
import { add } from "../ops/elementwise.ts";
import type { Landing } from "../ops/record.ts";

export class Arrived {
  readonly #shape: Shape;
  /** Parts that came before those that wait. */
  #whole: Node | undefined;
  #landings: Landing[] = [];

  constructor(shape: Shape, whole?: Node) {
    this.#shape = shape;
    this.#whole = whole;
  }

  add(part: Node | Landing): void {
    if ("piece" in part) this.#landings.push(part);
    else if (this.#landings.length > 0) this.#assemble(part);
    else this.#whole = this.#whole ? add(this.#whole, part) : part;
  }

  /** The sum of all parts; undefined where there are none. */
  sum(): Node | undefined {
    if (this.#landings.length > 0) this.#assemble();
    return this.#whole;
  }

  #assemble(last?: Node): void {
    const everywhere: Place = { starts: this.#shape.map(() => 0), steps: this.#shape.map(() => 1) };
    const overAll = (piece: Node | undefined): Landing[] => (piece ? [{ piece, ...everywhere }] : []);
    const parts = [...overAll(this.#whole), ...this.#landings, ...overAll(last)];
    this.#landings = [];
    const pieces = parts.map(({ piece }) => piece);
    this.#whole = assemble(pieces, parts, this.#shape);
  }
}
