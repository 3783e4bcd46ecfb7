// Which module of a model makes a node: while a model is traced, each module's `forward` says its path. Nothing is added to a graph.
import { asErrorOf } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import { nextNodeId } from "../graph/node.ts";
import { enterPart } from "../graph/site.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type ModelOutput, type Module, treeOf } from "./module.ts";

/** All modules of a model with their paths, parents first; the model itself is `model`. */
export const namedModules = (model: Module): [string, Module][] =>
  treeOf(model).map(([path, module]) => [path.slice(0, -1) || "model", module]);

type Around = (path: string, module: Module, run: () => ModelOutput) => ModelOutput;

/** One call of a module in a trace. */
export interface ModuleCall {
  /** The module's path in the model; the model itself is `model`. */
  readonly path: string;
  readonly module: Module;
  readonly outputs: readonly Tensor[];
  /** The first node made in it, and the first made after it. */
  readonly nodes: readonly [from: number, to: number];
  /** How many calls began before it. */
  readonly begun: number;
}

/** What goes around modules' `forward` for `tell` to be told of each call as it ends. */
export function telling(tell: (call: ModuleCall) => void): Around {
  let count = 0;
  return (path, module, run) => {
    const [begun, from] = [count++, nextNodeId()];
    const output = run();
    tell({ path, module, outputs: tensorsOf(output), nodes: [from, nextNodeId()], begun });
    return output;
  };
}

/** The tensors of what a module gave. */
const tensorsOf = (output: ModelOutput): Tensor[] =>
  output instanceof Tensor
    ? [output]
    : (Object.values(output ?? {}) as unknown[]).filter((part) => part instanceof Tensor);

/** From now on each module's `forward`, wherever it is called, goes through `around`, which runs it; until what is given back is called. One that stands in two places has the path of the first. */
export function wrapForward(model: Module, around: Around): () => void {
  const restore: (() => void)[] = [];
  const seen = new Set<Module>();
  for (const [path, module] of namedModules(model)) {
    if (seen.has(module) || !Object.isExtensible(module)) continue;
    seen.add(module);
    const { forward } = module;
    const own = Object.getOwnPropertyDescriptor(module, "forward");
    const value = (...args: Parameters<Module["forward"]>) => around(path, module, () => forward.apply(module, args));
    Object.defineProperty(module, "forward", { value, configurable: true, writable: true, enumerable: false });
    restore.push(() => {
      if (own) Object.defineProperty(module, "forward", own);
      else Reflect.deleteProperty(module, "forward");
    });
  }
  return () => {
    for (const undo of restore) undo();
  };
}

/** Runs `body` with each module's `forward` going through `around`. */
export function aroundForward<T>(model: Module, around: Around, body: () => T): T {
  const restore = wrapForward(model, around);
  try {
    return body();
  } finally {
    restore();
  }
}

/** Runs `body`: nodes that a module's `forward` makes in it are of that module, `layer 0 (Linear) of mlp`, and so are its errors of shapes and dtypes. `name`: what the model is called; its class unless given. */
export function namingModules<T>(model: Module, body: () => T, name: string = model.constructor.name): T {
  const around = (path: string, module: Module, run: () => ModelOutput) => {
    const part = module === model ? name : `layer ${path} (${module.constructor.name}) of ${name}`;
    const before = enterPart(part);
    try {
      return atOnce(`forward of ${part}`, run());
    } catch (error) {
      throw asErrorOf(part, error, /^layer /);
    } finally {
      enterPart(before);
    }
  };
  return aroundForward(model, around, body);
}
