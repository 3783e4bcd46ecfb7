// Weights in files: a model's parameters and buffers by their paths, as safetensors. A checkpoint of a run serves too: what it holds of
// optimizers and callbacks is passed over.
import { makeDirectory, read } from "#files";
import {
  boolean,
  checkArguments,
  isRecord,
  kind,
  oneOf,
  options as optionsOf,
  signature,
  string,
} from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { sha256Hex } from "../core/canonical.ts";
import { CheckpointError, refuse } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import { remembered } from "../core/remembered.ts";
import { typeText } from "../core/shape.ts";
import { parseFileJson } from "../io/json.ts";
import { decodeSafetensors, writeSafetensors } from "../io/safetensors.ts";
import { checkSeal, stateText } from "../io/sealed.ts";
import { readVariables, type Variable } from "../program/variable.ts";
import { module } from "./check.ts";
import type { Module } from "./module.ts";
import { byOurNames } from "./pytorch.ts";

export interface LoadOptions {
  /** Whether file and model must hold the same names and shapes; otherwise what fits is taken, and something must. Default true. */
  readonly strict?: boolean;
  /** Which parameters of a checkpoint: `raw`, those of training, by default; `average`, those that ExponentialMovingAverage or StochasticWeightAveraging kept beside them. A file of averaged weights alone needs it not. */
  readonly weights?: "raw" | "average";
}

/** What of a file didn't fit, by name. */
export interface Misfits {
  /** The model has it, and the file doesn't. */
  readonly missing: readonly string[];
  /** The file has it, and the model doesn't. */
  readonly unknown: readonly string[];
  /** In both, with another shape or dtype: which. */
  readonly different: readonly string[];
}

/** Gives variables the tensors of their names. Throws CheckpointError under `strict` for the least misfit, otherwise where nothing fits; then nothing is changed. */
export function loadVariables(
  where: string,
  tensors: ReadonlyMap<string, HostArray>,
  variables: readonly (readonly [string, Variable])[],
  { strict = true }: LoadOptions = {},
): Misfits {
  const fits: (readonly [Variable, HostArray])[] = [];
  const [missing, different]: [string[], string[]] = [[], []];
  for (const [name, variable] of variables) {
    const found = tensors.get(name);
    if (!found) missing.push(name);
    else if (typeText(found) === typeText(variable)) fits.push([variable, found]);
    else different.push(`${name} is ${typeText(found)}, not ${typeText(variable)}`);
  }
  const wanted = new Set(variables.map(([name]) => name));
  const unknown = [...tensors.keys()].filter((name) => !wanted.has(name));
  if (strict ? missing.length + unknown.length + different.length > 0 : fits.length === 0) {
    const names = (list: readonly string[]) => list.join(", ") || "none";
    const problem = strict ? "its tensors aren't the model's" : "none of its tensors is the model's";
    const got = `missing ${names(missing)}; unknown ${names(unknown)}; another shape or dtype: ${names(different)}`;
    refuse(CheckpointError, where, problem, got, undefined, strict ? "strict: false takes what fits" : undefined);
  }
  for (const [variable, { data }] of fits) variable.load(data);
  return { missing, unknown, different };
}

const areTexts = (value: unknown) => isRecord(value) && Object.values(value).every(string.accepts);
const metadataKind = kind("a record of texts", areTexts);
const loadCall = signature("nn.load", {
  model: module,
  path: string,
  "options?": optionsOf<LoadOptions>({ "strict?": boolean, "weights?": oneOf(["raw", "average"]) }),
});
const saveCall = signature("nn.save", { model: module, path: string, "metadata?": metadataKind });

const loaded = new WeakMap<Module, Map<string, string>>();

/** SHA-256 of the files whose weights a model was given, by `weights/<file>`: what a run begins from besides its seed. */
export function weightsDigests(model: Module): Record<string, string> {
  return Object.fromEntries(loaded.get(model) ?? []);
}

/** Notes that a model has weights of a file. The folder is left out: a run's digest must not know of folders. */
export function noteWeights(model: Module, path: string, digest: string): void {
  const files = remembered(loaded, model, () => new Map());
  const name = `weights/${path.split(/[\\/]/).at(-1)}`;
  let unique = name;
  for (let i = 2; files.has(unique) && files.get(unique) !== digest; i++) unique = `${name}#${i}`;
  files.set(unique, digest);
}

/**
 * A model with the weights of a safetensors file: `() => nn.load(build(), "base.safetensors")`. Names in the file are paths (`0.weight`), a
 * checkpoint's (`parameter/0.weight`), or PyTorch's for the same layers (`1.running_var`, `self_attn.in_proj_weight`); other types of the format become float32 or int32, as docs/training.md has it. Throws CheckpointError for a file that is missing, damaged (a checkpoint is held to its own digest), or of another model.
 */
export function load<M extends Module>(model: M, path: string, options: LoadOptions = {}): M {
  checkArguments(loadCall, arguments);
  const bytes = read(path, CheckpointError);
  const { weights, strict } = options;
  const file = decodeSafetensors(path, bytes);
  const { tensors } = file;
  const state = stateOf(file);
  // Under another numerics id a digest may be made otherwise; numbers are numbers.
  if (state.numericsId === numericsId) checkSeal(path, file);
  giveWeights(model, path, weights === "average" ? averaged(path, tensors, state) : tensors, { strict });
  noteWeights(model, weights === "average" ? `${path} (average)` : path, sha256Hex(bytes));
  return model;
}

/** A checkpoint's tensors with the parameters that an average has. Throws CheckpointError where no average, or more than one, has begun. */
function averaged(
  where: string,
  tensors: ReadonlyMap<string, HostArray>,
  { callbacks }: Readonly<Record<string, unknown>>,
): Map<string, HostArray> {
  const begun = Object.entries(isRecord(callbacks) ? callbacks : {}).flatMap(([name, kept]) =>
    isRecord(kept) && typeof kept.count === "number" && kept.count > 0 ? [name] : [],
  );
  if (begun.length !== 1) {
    const problem = begun.length > 1 ? "several averages of weights are in it" : "no average of weights is in it";
    const expected = "a checkpoint of a run with one average, after its start";
    const hint = "ema.safetensors and swa.safetensors hold one alone, and are loaded without this option";
    refuse(CheckpointError, where, problem, begun.join(", ") || "none that has begun", expected, hint);
  }
  const prefix = `callback/${begun[0]}/`;
  const own = [...tensors].flatMap(([name, array]): [string, HostArray][] =>
    name.startsWith(prefix) ? [[`parameter/${name.slice(prefix.length)}`, array]] : [],
  );
  return new Map([...tensors, ...own]);
}

/** What a checkpoint says of its run; nothing in a file of weights alone. */
function stateOf(file: Parameters<typeof stateText>[0]): Readonly<Record<string, unknown>> {
  try {
    const state = parseFileJson(stateText(file) ?? "{}");
    return isRecord(state) ? state : {};
  } catch {
    return {};
  }
}

/** How names of a checkpoint, and a model's, begin. */
const kinds = /^(parameter|buffer)\//;

const variablesOf = (model: Module) =>
  model.namedVariables().map(([name, variable]) => [name.replace(kinds, ""), variable] as const);

/** Tensors by the model's names. Throws CheckpointError where a file has two for one. */
function byName(path: string, entries: readonly (readonly [string, HostArray])[]): Map<string, HostArray> {
  const found = new Map(entries);
  const twice = entries.find(([name, array]) => found.get(name) !== array);
  if (twice) refuse(CheckpointError, path, "two of its tensors are one of the model's", twice[0]);
  return found;
}

/** Gives a model the weights among a file's tensors, and tells what didn't fit. Throws CheckpointError as `loadVariables` does. */
export function giveWeights(
  model: Module,
  path: string,
  file: ReadonlyMap<string, HostArray>,
  options: LoadOptions,
): Misfits {
  const own = [...file].filter(([name]) => kinds.test(name));
  const named = own.map(([name, array]) => [name.replace(kinds, ""), array] as const);
  const tensors = own.length > 0 ? byName(path, named) : file;
  const variables = variablesOf(model);
  const ours = byName(path, byOurNames(tensors, new Set(variables.map(([name]) => name))));
  return loadVariables(path, ours, variables, options);
}

/** Writes a model's parameters and buffers by their paths, all at once, making its folder if need be. Throws CheckpointError where the file can't be written. */
export async function save(model: Module, path: string, metadata?: Readonly<Record<string, string>>): Promise<void> {
  checkArguments(saveCall, arguments);
  const tensors = await readVariables(variablesOf(model));
  const folder = path.replace(/[^\\/]*$/, "");
  if (folder !== "") makeDirectory(folder);
  writeSafetensors(path, tensors, metadata);
}
