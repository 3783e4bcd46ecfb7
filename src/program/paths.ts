// What owners of others' variables (optimizers) call these at this moment.
import type { Variable } from "./variable.ts";

let paths: ReadonlyMap<Variable, string> | undefined;

/** Runs `body`: an optimizer that is made in it, or asked for its variables, calls parameters by these paths, whichever module gave them. What is kept is named by the whole model. */
export function byPaths<T>(known: ReadonlyMap<Variable, string>, body: () => T): T {
  const before = paths;
  paths = known;
  try {
    return body();
  } finally {
    paths = before;
  }
}

/** What a parameter is called now, where that is said. */
export const pathOf = (parameter: Variable): string | undefined => paths?.get(parameter);
