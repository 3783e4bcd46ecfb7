// Modules that hold others by number or by name, and layers that do next to nothing.
import {
  callable,
  checkArguments,
  checkNone,
  isRecord,
  kind,
  listOf,
  number,
  signature,
  string,
} from "../core/arguments.ts";
import { ConfigError, refuse } from "../core/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Activation } from "./activation.ts";
import { module } from "./check.ts";
import { factoryOf, Module } from "./module.ts";

const listCall = signature("nn.moduleList", { modules: listOf(module, "a list of modules") });
const dictCall = signature("nn.moduleDict", {
  modules: kind("a record of modules", (value) => isRecord(value) && Object.values(value).every(module.accepts)),
});
const calls = {
  at: signature("at", { index: number }),
  get: signature("get", { name: string }),
  lambda: signature("nn.lambda", { apply: callable }),
};

function refuseForward(where: string): never {
  throw new ConfigError({
    where: `${where}.forward`,
    problem: "it holds modules, and doesn't say in which order they run",
    hint: "call its modules, or use nn.sequential",
  });
}

/** Modules by number. Its children are named "0", "1", …, as those of a plain list of modules are. */
export class ModuleList<M extends Module = Module> extends Module<never> implements Iterable<M> {
  readonly modules: readonly M[];

  constructor(modules: readonly M[]) {
    checkArguments(listCall, arguments);
    super();
    this.modules = [...modules];
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

  override namedChildren(): [string, Module][] {
    checkNone("namedChildren", arguments);
    return this.modules.map((each, i) => [String(i), each]);
  }

  /** Throws ConfigError: a list isn't run by itself. */
  override forward(): never {
    return refuseForward("nn.moduleList");
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
> extends Module<never> {
  readonly modules: M;

  constructor(modules: M) {
    checkArguments(dictCall, arguments);
    super();
    this.modules = { ...modules };
  }

  /** The module of a name. Throws ConfigError where there is none. */
  get<K extends keyof M & string>(name: K): M[K] {
    checkArguments(calls.get, arguments);
    if (Object.hasOwn(this.modules, name)) return this.modules[name];
    throw new ConfigError({
      where: "nn.ModuleDict.get",
      problem: "no such module",
      got: name,
      expected: `one of ${Object.keys(this.modules).join(", ") || "none"}`,
    });
  }

  override namedChildren(): [string, Module][] {
    checkNone("namedChildren", arguments);
    return Object.entries(this.modules);
  }

  /** Throws ConfigError: a record isn't run by itself. */
  override forward(): never {
    return refuseForward("nn.moduleDict");
  }
}

/**
 * Modules by name, to be called one by one: `heads.get("value").forward(x)`.
 * @torch torch.nn.ModuleDict
 * @example nn.moduleDict({ value: nn.linear(4, 3) })
 * @golden none: it computes nothing
 */
export const moduleDict = /* @__PURE__ */ factoryOf(ModuleDict);

/**
 * A layer that gives what it is given. x: [...] → the same.
 * @torch torch.nn.Identity
 * @example nn.identity().forward(zeros([2, 3]))
 * @golden none: it computes nothing
 */
export function identity(): Activation {
  checkNone("nn.identity", arguments);
  return new Activation("identity", (x) => x);
}

/**
 * A function of a tensor as a layer without parameters: `nn.lambda((x) => x.square())`.
 * @torch none: a Module with a forward
 * @example nn.lambda((x) => x.square()).forward(zeros([2, 3]))
 * @golden none: it computes what it is given
 */
export function lambda(apply: (x: Tensor) => Tensor): Activation {
  checkArguments(calls.lambda, arguments);
  return new Activation("lambda", apply);
}
