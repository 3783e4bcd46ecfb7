// The names of a validation's numbers: the first loader's are plain, those of the others begin with the loader's name.
import type { DataLoader } from "../data/loader.ts";
import type { Mode, NumberNames } from "../optim/monitored.ts";
import type { ResolvedOptions } from "./config/options.ts";

/** The names that the numbers of a validation on these loaders may have: the loss's, and each metric's, which may be of several numbers. */
export function numberNames(
  { metrics }: Pick<ResolvedOptions, "metrics">,
  loaders: readonly DataLoader[],
): NumberNames {
  const own = metrics.map(({ name }) => name);
  const of = (names: readonly string[]) =>
    loaders.flatMap((_, i) => (i === 0 ? names : names.map((name) => `${placeOf(loaders, i)}/${name}`)));
  const directed: readonly [string, Mode][] = [
    ["loss", "min"],
    ...metrics.flatMap(({ name, metric: { mode } }): [string, Mode][] => (mode ? [[name, mode]] : [])),
  ];
  const modes = Object.fromEntries(directed.flatMap(([name, mode]) => of([name]).map((full) => [full, mode])));
  return { names: of(["loss", ...own]), several: of(own), modes };
}

/** What a loader's numbers are named by: its name, and `#2` … where others before it have the same. */
export function placeOf(loaders: readonly DataLoader[], i: number): string {
  const { name } = loaders[i];
  const same = loaders.slice(0, i).filter((other) => other.name === name).length;
  return same === 0 ? name : `${name}#${same + 1}`;
}
