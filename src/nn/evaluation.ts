// A model in evaluation mode while something runs: validation, prediction, and callbacks that look at what it makes.
import type { Module } from "./module.ts";
import { namedModules } from "./naming.ts";

/** Models in evaluation mode: what puts each back, and how many bodies are still running in it. */
const evaluating = new WeakMap<Module, { readonly restore: () => void; running: number }>();

/** Runs `body` with the whole tree in evaluation mode; once the last of several such bodies has ended, each module is what it was. */
export async function inEvaluation<T>(model: Module, body: () => Promise<T>): Promise<T> {
  let mode = evaluating.get(model);
  if (!mode) {
    const flags = namedModules(model).map(([, module]) => [module, module.training] as const);
    const restore = () => {
      for (const [module, training] of flags) module.training = training;
    };
    mode = { restore, running: 0 };
    evaluating.set(model, mode);
    model.eval();
  }
  mode.running++;
  try {
    return await body();
  } finally {
    mode.running--;
    if (mode.running === 0) {
      evaluating.delete(model);
      mode.restore();
    }
  }
}
