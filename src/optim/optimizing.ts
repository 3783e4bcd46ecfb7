// What the optimizers that a config may name are built on: a record of options, checked when one is made, and the rules that follow from them.
import type { Given, OptionRecord, Read } from "../core/options.ts";
import { readOptions } from "./arguments.ts";
import {
  Optimizer,
  type OptimizerOptions,
  type optimizerFields,
  type ParametersOrGroups,
  type Rules,
} from "./optimizer.ts";

type Fields = OptionRecord["fields"] & Pick<typeof optimizerFields, "learningRate">;

export type OptimizerArguments<O> = [parameters: ParametersOrGroups, options: O];

/** Base of a class of optimizers: its constructor takes parameters, or groups of them, and the record's options, and checks both. `rules`: what it is under these options. */
export function optimizing<S extends Fields>(
  record: OptionRecord<S>,
  rules: Rules | ((options: Read<OptionRecord<S>>) => Rules),
): abstract new (
  parameters: ParametersOrGroups,
  options: Given<OptionRecord<S>>,
) => Optimizer<Read<OptionRecord<S>> & OptimizerOptions> {
  abstract class Optimizing extends Optimizer<Read<OptionRecord<S>> & OptimizerOptions> {
    constructor(parameters: ParametersOrGroups, options: Given<OptionRecord<S>>) {
      const where = record.name.toLowerCase();
      const read = readOptions(where, record, options, arguments);
      for (const value of Object.values(read)) Object.freeze(value);
      super(where, parameters, typeof rules === "function" ? rules(read) : rules, Object.freeze(read) as never);
    }
  }
  return Optimizing;
}
