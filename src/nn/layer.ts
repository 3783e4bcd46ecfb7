// Layers and models of the library: modules that are made by the call of a signature, whose name their errors have.
import { checkArguments, type Signature, signature } from "../core/arguments.ts";
import { asErrorOf } from "../core/errors.ts";
import { tensor } from "../tensor/arguments.ts";
import { Tensor } from "../tensor/tensor.ts";
import { batch as batchKind } from "./check.ts";
import { type ModelOutput, Module, type Reads } from "./module.ts";

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
  readonly #where: string;

  /** `where`: what errors call it. */
  constructor(where: string) {
    super();
    this.#where = where;
  }

  /** What errors call it. */
  protected get where(): string {
    return this.#where;
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
