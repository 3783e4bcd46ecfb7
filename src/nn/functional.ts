// Models under other parameters than their own, and with some that training leaves alone.
import { checkArguments, signature, string } from "../core/arguments.ts";
import { select } from "../core/glob.ts";
import { unknownKey } from "../core/keys.ts";
import { checkFits, type Parameter, substituting } from "../program/variable.ts";
import { tensor } from "../tensor/arguments.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { module, tensorsByName } from "./check.ts";
import type { Batch, ModelOutput, Module } from "./module.ts";

const call = signature("nn.functionalCall", {
  model: module,
  parameters: tensorsByName("a record of tensors"),
  inputs: tensor,
  "batch?": tensorsByName("a record of tensors"),
});
const freezeCall = signature("nn.freeze", { model: module, "...globs": string });
const unfreezeCall = signature("nn.unfreeze", { model: module, "...globs": string });

/**
 * What a model gives with other tensors in its parameters' places, by path; those that aren't named stay its own, and gradients flow to what is given:
 * `torch.func.functional_call`. A parameter that stands in two places is replaced in both; buffers are the model's own. Throws ConfigError for a path
 * that isn't a parameter's, ShapeError or DTypeError for a tensor that it couldn't hold.
 */
export function functionalCall<Output extends ModelOutput>(
  model: Module<Output>,
  parameters: Readonly<Record<string, Tensor>>,
  inputs: Tensor,
  batch?: Batch,
): Output {
  checkArguments(call, arguments);
  const own = new Map(model.namedParameters());
  const values = Object.entries(parameters).map(([path, value]): [Parameter, Tensor] => {
    const [where, parameter] = [`nn.functionalCall.parameters.${path}`, own.get(path)];
    if (!parameter) throw unknownKey(where, path, [...own.keys()]);
    checkFits(where, parameter, value);
    return [parameter, value];
  });
  return substituting(new Map(values), () => model.forward(inputs, batch));
}

/** Has training step the parameters whose paths match a glob, all of them without one, or leave them alone. Throws ConfigError, naming `where`, for a glob that matches none. */
export function setTrained<M extends Module>(where: string, model: M, globs: readonly string[], trained: boolean): M {
  const parameters = model.namedParameters();
  const chosen = globs.length > 0 ? select(where, parameters, globs) : parameters;
  for (const [, parameter] of chosen) parameter.requiresGrad = trained;
  return model;
}

/**
 * Has training leave parameters alone whose paths match a glob (`*`: any text, `?`: one character), all of them without one: `nn.freeze(model, "encoder.*")`.
 * They stay in the model's state, its digest and checkpoints. An optimizer keeps what it has of them and doesn't step them, made before or after; the graph of a
 * step without them is another, and so is its hash. Throws ConfigError for a glob that matches none.
 */
export function freeze<M extends Module>(model: M, ...globs: readonly string[]): M {
  checkArguments(freezeCall, arguments);
  return setTrained("nn.freeze", model, globs, false);
}

/** Has training step parameters again that `freeze` had it leave alone. An optimizer that was made while they were frozen hasn't got them. Throws ConfigError for a glob that matches none. */
export function unfreeze<M extends Module>(model: M, ...globs: readonly string[]): M {
  checkArguments(unfreezeCall, arguments);
  return setTrained("nn.unfreeze", model, globs, true);
}
