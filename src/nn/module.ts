// Module: a plain tree of parameters, buffers and other modules, found by walking its own properties. It holds no graph and no draws.
import { boolean, checkArguments, checkNone, isRecord, kind, signature } from "../core/arguments.ts";
import { ConfigError, refuse } from "../core/errors.ts";
import { remembered } from "../core/remembered.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { Parameter, type Stateful, Variable } from "../program/variable.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What a model is given beside its inputs: the batch's tensors by name. */
export type Batch = Readonly<Record<string, Tensor>>;

/** What a layer or a loss reads of a batch, each of which may be left out; what every batch may have is there, too. */
export type Reads<Names extends string> = { readonly [Name in Names | "inputs" | "targets"]?: Tensor };

/** What a model may return: outputs for a loss function, its own loss, a loss with outputs, or a record that holds a loss. */
export type ModelOutput = Tensor | readonly [loss: Tensor, outputs: Tensor] | Readonly<Record<string, Tensor>>;

const calls = {
  train: signature("train", { "mode?": boolean }),
  pieces: signature("pieces", { "into?": kind("a list", Array.isArray) }),
};

/** Base of all layers and models. `Beside`: what of a batch they are given. A subclass assigns parameters and children to properties in its constructor, in the order in which they are drawn. */
export abstract class Module<out Output extends ModelOutput = ModelOutput, Beside extends object = Batch>
  implements Stateful
{
  /** Whether it is being trained: dropout acts only then. Set through `train` and `eval`. */
  training = true;
  /** Of a model over tokens: how many there are. What trains it holds this against its data. */
  declare readonly vocabulary?: number;

  /** The outputs for a batch's `inputs`; the whole batch comes second, for models that compute their own loss. */
  abstract forward(inputs: Tensor, batch?: Beside): Output;

  /** Direct children by name: properties that are modules, and what lies in lists (`blocks.0`), plain records and Maps (`heads.value`) among them. */
  namedChildren(): [string, Module][] {
    checkNone("namedChildren", arguments);
    return heldBy(this, Module);
  }

  /** Parameters of the whole tree by path (`0.weight`), in the order in which they were assigned; one that stands in two places is named by the first. */
  namedParameters(): [string, Parameter][] {
    checkNone("namedParameters", arguments);
    return this.#walk().filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter);
  }

  /** Its parameters in the order of `namedParameters`. Each one's `label` becomes its path here: what an optimizer calls it. */
  parameters(): Parameter[] {
    checkNone("parameters", arguments);
    return this.namedParameters().map(([path, parameter]) => Object.assign(parameter, { label: path }));
  }

  /** Parameters as `parameter/<path>` and other variables as `buffer/<path>`, in UTF-8 order. */
  namedVariables(): [string, Variable][] {
    checkNone("namedVariables", arguments);
    return this.#walk()
      .map(([path, variable]): [string, Variable] => [
        `${variable instanceof Parameter ? "parameter" : "buffer"}/${path}`,
        variable,
      ])
      .sort(([a], [b]) => compareUtf8(a, b));
  }

  #walk(): [string, Variable][] {
    const paths = new Map<Variable, string>();
    for (const [path, module] of treeOf(this))
      for (const [name, variable] of heldBy(module, Variable)) remembered(paths, variable, () => path + name);
    return [...paths].map(([variable, path]) => [path, variable]);
  }

  /** Sets the whole tree to training, or to evaluation with `false`. */
  train(mode = true): this {
    checkArguments(calls.train, arguments);
    this.training = mode;
    opened(this, () => {
      for (const [, child] of this.namedChildren()) child.train(mode);
    });
    return this;
  }

  /** Sets the whole tree to evaluation. */
  eval(): this {
    checkNone("eval", arguments);
    return this.train(false);
  }

  /** Its training flags: a compiled function is traced anew when one changes. */
  traceKey(): string {
    checkNone("traceKey", arguments);
    const children = opened(this, () => this.namedChildren().map(([, child]) => child.traceKey()));
    return (this.training ? "t" : "e") + children.join("");
  }

  /** Its own properties and those of its modules, and what lies in lists, plain records and Maps among them, one after another. */
  pieces(into: unknown[] = []): readonly unknown[] {
    checkArguments(calls.pieces, arguments);
    opened(this, () => addPieces(this, into, deepest));
    return into;
  }

  /** The tree as text, a module a line. */
  toString(): string {
    checkNone("toString", arguments);
    const line = ([name, child]: [string, Module]) => `(${name}): ${String(child).replaceAll("\n", "\n  ")}`;
    const children = opened(this, () => this.namedChildren().map(line));
    const name = this.constructor.name + this.describe();
    return children.length ? `${name}\n  ${children.join("\n  ")}` : name;
  }

  /** What `toString` says after the class: `(784 → 128)`. */
  protected describe(): string {
    return "";
  }
}

/** A module, whatever it is given. */
type Any = Module<ModelOutput, never>;

/** Modules that are being looked into, each by the one before. */
const open: Any[] = [];

/** Looks into a module by a method that its modules have too. Throws ConfigError where one holds itself. */
function opened<T>(module: Any, look: () => T): T {
  if (open.includes(module)) for (const root of [open[0], module]) treeOf(root);
  open.push(module);
  try {
    return look();
  } finally {
    open.pop();
  }
}

/** A module and all that it holds, parents first, each with its path and a `.`; the module's own is empty. Throws ConfigError where one holds itself. */
export function treeOf(root: Any): [path: string, module: Module][] {
  const found: [string, Module][] = [];
  const visit = (module: Any, path: string, above: readonly Any[]) => {
    if (above.includes(module)) {
      const where = `${root.constructor.name}.${path.slice(0, -1)}`;
      refuse(ConfigError, where, "a module that holds itself", undefined, undefined, "keep it in a #private field");
    }
    found.push([path, module]);
    for (const [name, child] of module.namedChildren()) visit(child, `${path}${name}.`, [...above, module]);
  };
  visit(root, "", []);
  return found;
}

/** Lists, records and Maps in one another are looked into no deeper than this. */
export const deepest = 3;

/** What a list, a plain record or a Map holds, by name; of a Map whose keys aren't told apart by their texts, by place. */
export function itemsOf(value: unknown): object | undefined {
  if (!(value instanceof Map)) return Array.isArray(value) || isRecord(value) ? value : undefined;
  const named = Object.fromEntries(value);
  return Object.keys(named).length < value.size ? [...value.values()] : named;
}

/** What of a class an object's properties are, or lies in lists and records among them, by path. */
function heldBy<T>(
  holder: object,
  Class: abstract new (...args: never[]) => T,
  prefix = "",
  depth = deepest,
): [string, T][] {
  return Object.entries(holder).flatMap(([name, value]): [string, T][] => {
    if (value instanceof Class) return [[prefix + name, value]];
    const items = depth > 0 && itemsOf(value);
    return items ? heldBy(items, Class, `${prefix}${name}.`, depth - 1) : [];
  });
}

function addPieces(items: object | undefined, into: unknown[], depth: number): void {
  for (const name in items) {
    const value: unknown = items[name as keyof typeof items];
    into.push(name, value);
    if (value instanceof Module) value.pieces(into);
    else if (depth > 0) addPieces(itemsOf(value), into, depth - 1);
  }
}
