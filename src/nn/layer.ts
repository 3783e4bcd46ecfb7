// Layers and models of the library: modules that are made by the call of a signature, whose name their errors have.
import { checkArguments, kind, type Signature, signature } from "../core/arguments.ts";
import { asErrorOf, ShapeError } from "../core/errors.ts";
import { camelCase } from "../core/keys.ts";
import { type Fields, OptionRecord } from "../core/options.ts";
import { checkCount } from "../core/shape.ts";
import { tensor } from "../tensor/arguments.ts";
import { Tensor } from "../tensor/tensor.ts";
import { batch as batchKind } from "./check.ts";
import { type ModelOutput, Module, type Reads } from "./module.ts";

/** The options of the layer or model that a config calls `name` (heat_pinn) and code nn.heatPinn. One out of range is a ShapeError. */
export function layerOptions<const S extends Fields>(name: string, fields: S): OptionRecord<S> {
  return new OptionRecord(name, fields, `nn.${camelCase(name)}`, ShapeError);
}

/** What errors call a layer, once all that its constructor is given is as the signature says. Throws ConfigError. */
export function checked(call: Signature, given: ArrayLike<unknown>): string {
  checkArguments(call, given);
  return call.where;
}

/** Base of layers: what is given to them is checked here. One that reads nothing of a batch may be given one. */
export abstract class Layer<
  out Output extends ModelOutput = Tensor,
  Beside extends object = Reads<never>,
> extends Module<Output, Beside> {
  /** What errors call it. */
  protected readonly where: string;

  constructor(where: string) {
    super();
    this.where = where;
  }

  /** Throws ConfigError unless it is given a tensor, and at most a batch beside it. */
  override forward(inputs: Tensor, batch?: Beside): Output {
    if (!(inputs instanceof Tensor) || batch !== undefined || arguments.length > 2)
      checkArguments(signature(`${this.where}.forward`, { inputs: tensor, "batch?": batchKind }), arguments);
    try {
      return this.apply(inputs, batch);
    } catch (error) {
      throw asErrorOf(this.where, error);
    }
  }

  /** What `forward` gives of inputs that are a tensor. Throws ShapeError for those that don't fit. */
  protected abstract apply(inputs: Tensor, batch?: Beside): Output;
}

/** The function that makes modules of a class: called as its constructor is, which checks what it is given. Files of several layers mark the call as pure, for bundlers. */
export function factoryOf<Given extends readonly unknown[], M extends Module>(
  Class: new (...given: Given) => M,
): (...given: Given) => M {
  return (...given) => new Class(...given);
}

/** How many, or how wide. A number that isn't an integer ≥ 1 is a ShapeError. */
export const extent = kind(
  "a number",
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  (where, value, what = "it"): undefined => {
    if (typeof value === "number") checkCount(where, what, value);
  },
);
