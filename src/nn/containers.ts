// Modules that hold others: in the order in which they run, by number or by name.
import { checkArguments, checkNone, isRecord, kind, listOf, number, signature, string } from "../core/arguments.ts";
import { ConfigError, refuse } from "../core/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { module } from "./check.ts";
import { checked, factoryOf, Layer } from "./layer.ts";
import { type Batch, type ModelOutput, Module } from "./module.ts";

const sequentialCall = signature("nn.sequential", { "...layers": module });

/** What the last of the layers returns. */
type OutputOf<L extends readonly Module[]> = L extends readonly [...Module[], infer Last extends Module]
  ? ReturnType<Last["forward"]>
  : L extends readonly []
    ? Tensor
    : ReturnType<L[number]["forward"]>;

/** Applies its layers in order; each but the last must return a tensor. Children are named "0", "1", … */
export class Sequential<Output extends ModelOutput = ModelOutput> extends Layer<Output, Batch> {
  readonly layers: readonly Module[];

  constructor(...layers: Module[]) {
    super(checked(sequentialCall, layers));
    this.layers = layers;
  }

  override namedChildren(): [string, Module][] {
    checkNone("namedChildren", arguments);
    return Object.entries(this.layers);
  }

  protected override apply(inputs: Tensor, batch?: Batch): Output {
    return this.layers.reduce<ModelOutput>((x, layer) => layer.forward(x as Tensor, batch), inputs) as Output;
  }
}

/**
 * A module that applies the given ones in order.
 * @torch torch.nn.Sequential
 * @example nn.sequential(nn.linear(4, 3), nn.relu()).forward(zeros([2, 4]))
 */
export function sequential<const L extends readonly Module[]>(...layers: L): Sequential<OutputOf<L>> {
  return new Sequential<OutputOf<L>>(...layers);
}

const listCall = signature("nn.moduleList", { modules: listOf(module, "a list of modules") });
const dictCall = signature("nn.moduleDict", {
  modules: kind("a record of modules", (value) => isRecord(value) && Object.values(value).every(module.accepts)),
});
const calls = {
  at: signature("at", { index: number }),
  get: signature("get", { name: string }),
};

/** What holds modules and doesn't run them. Its children have their names, or numbers. */
abstract class Container<Modules extends object> extends Module<never> {
  readonly modules: Modules;
  readonly #where: string;

  constructor(where: string, modules: Modules) {
    super();
    this.modules = modules;
    this.#where = where;
  }

  override namedChildren(): [string, Module][] {
    checkNone("namedChildren", arguments);
    return Object.entries(this.modules);
  }

  /** Throws ConfigError: it isn't run by itself. */
  override forward(): never {
    const problem = "it holds modules, and doesn't say in which order they run";
    const hint = "call its modules, or use nn.sequential";
    refuse(ConfigError, `${this.#where}.forward`, problem, undefined, undefined, hint);
  }
}

/** Modules by number. Its children are named "0", "1", …, as those of a plain list of modules are. */
export class ModuleList<M extends Module = Module> extends Container<readonly M[]> implements Iterable<M> {
  constructor(modules: readonly M[]) {
    const where = checked(listCall, arguments);
    super(where, [...modules]);
  }

  get length(): number {
    return this.modules.length;
  }

  /** The module of a number; from the end where it is negative. Throws ConfigError where there is none. */
  at(index: number): M {
    checkArguments(calls.at, arguments);
    const found = this.modules.at(index);
    if (found && Number.isSafeInteger(index)) return found;
    refuse(ConfigError, "nn.ModuleList.at", "no such module", index, `one of ${this.length}`);
  }

  [Symbol.iterator](): Iterator<M> {
    return this.modules[Symbol.iterator]();
  }
}

/**
 * Modules by number, to be called one by one: `for (const block of blocks) x = block.forward(x)`.
 * @torch torch.nn.ModuleList
 * @example nn.moduleList([nn.linear(4, 3)])
 * @golden none: it computes nothing
 */
export const moduleList = /* @__PURE__ */ factoryOf(ModuleList);

/** Modules by name. Its children have their names. */
export class ModuleDict<
  M extends Readonly<Record<string, Module>> = Readonly<Record<string, Module>>,
> extends Container<M> {
  constructor(modules: M) {
    const where = checked(dictCall, arguments);
    super(where, { ...modules });
  }

  /** The module of a name. Throws ConfigError where there is none. */
  get<K extends keyof M & string>(name: K): M[K] {
    checkArguments(calls.get, arguments);
    if (Object.hasOwn(this.modules, name)) return this.modules[name];
    const names = Object.keys(this.modules).join(", ");
    refuse(ConfigError, "nn.ModuleDict.get", "no such module", name, `one of ${names || "none"}`);
  }
}

/**
 * Modules by name, to be called one by one: `heads.get("value").forward(x)`.
 * @torch torch.nn.ModuleDict
 * @example nn.moduleDict({ value: nn.linear(4, 3) })
 * @golden none: it computes nothing
 */
export const moduleDict = /* @__PURE__ */ factoryOf(ModuleDict);
