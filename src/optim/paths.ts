// What optimizers that are made at this moment call parameters.
import type { Parameter } from "../program/variable.ts";

let paths: ReadonlyMap<Parameter, string> | undefined;

/** Runs `body`: an optimizer that is made in it calls parameters by these paths, whichever module gave them. What a Trainer's optimizers keep is named by the whole model. */
export function byPaths<T>(named: Iterable<readonly [string, Parameter]>, body: () => T): T {
  const before = paths;
  paths = new Map([...named].map(([path, parameter]) => [parameter, path]));
  try {
    return body();
  } finally {
    paths = before;
  }
}

/** What an optimizer that is made now calls a parameter, where that is said. */
export const pathOf = (parameter: Parameter): string | undefined => paths?.get(parameter);
