// Layers of the ops over images, [batch, channels, ...extents], that there are for one, two and three dimensions.
import { type Kinds, type Signature, signature } from "../core/arguments.ts";
import type { Layer } from "./layer.ts";

/** The op `${family}${rank}d`, and how its layer is called. */
export interface ImageOp<Family extends string = string> {
  readonly family: Family;
  readonly name: `${Family}${Rank}d`;
  readonly rank: Rank;
  readonly call: Signature;
}
export type Rank = 1 | 2 | 3;

type Made<Given extends readonly unknown[], L> = new (...given: Given) => L;

/** A class of layers of one op. `Base`: what those of the family have in common, made with the op and all that the layer is called with. */
/* @__NO_SIDE_EFFECTS__ */
export function imageLayer<Family extends string, Given extends readonly unknown[], L extends Layer>(
  Base: abstract new (op: ImageOp<Family>, given: Given) => L,
  family: Family,
  rank: Rank,
  parameters: Kinds,
): Made<Given, L> {
  const name = `${family}${rank}d` as const;
  const hint = "options?" in parameters ? "stride and padding go by name" : undefined;
  const op = { family, name, rank, call: signature(`nn.${name}`, parameters, hint) };
  const Layer = class extends (Base as unknown as new (op: ImageOp, given: Given) => object) {
    constructor(...given: Given) {
      super(op, given);
    }
  };
  return Layer as unknown as Made<Given, L>;
}
