// The names of a validation's numbers: the first loader's are plain, those of the others begin with the loader's name.
import { ConfigError, refuse } from "../core/errors.ts";
import type { DataLoader } from "../data/loader.ts";
import type { Mode, NumberNames } from "../optim/monitored.ts";
import type { ResolvedSettings } from "./config/options.ts";
import type { TrainerView } from "./contract.ts";

/** The names that the numbers of a validation on these loaders may have: the loss's, and each metric's, which may be of several numbers. */
export function numberNames(
  { metrics, loss }: Pick<ResolvedSettings, "metrics" | "loss">,
  loaders: readonly DataLoader[],
): NumberNames {
  const own = metrics.map(({ name }) => name);
  const of = (names: readonly string[]) =>
    loaders.flatMap((_, i) => (i === 0 ? names : names.map((name) => `${loaderLabel(loaders, i)}/${name}`)));
  const directed: readonly [string, Mode][] = [
    ["loss", "min"],
    ...metrics.flatMap(({ name, metric: { mode } }): [string, Mode][] => (mode ? [[name, mode]] : [])),
  ];
  const modes = Object.fromEntries(directed.flatMap(([name, mode]) => of([name]).map((full) => [full, mode])));
  return { names: of(["loss", ...own]), several: of(own), modes, open: loss === undefined };
}

/** Which values of a validated number are better, as its loss or metric says: for a name of any loader's. */
export function modeOf({ metrics }: Pick<ResolvedSettings, "metrics">, number: string): Mode | undefined {
  const known = [["loss", "min"] as const, ...metrics.map(({ name, metric: { mode } }) => [name, mode] as const)];
  return known.find(([name]) => `/${number}/`.includes(`/${name}/`))?.[1];
}

/** What a loader's numbers are named by: its name, and `#2` … where others before it have the same. */
export function loaderLabel(loaders: readonly DataLoader[], i: number): string {
  const { name } = loaders[i];
  const same = loaders.slice(0, i).filter((other) => other.name === name).length;
  return same === 0 ? name : `${name}#${same + 1}`;
}

/** Throws ConfigError where a run on these loaders validates nothing, and something (`where`) goes by validated numbers. */
export function checkValidated(
  where: string,
  { options }: Pick<TrainerView, "options">,
  validations: readonly DataLoader[],
  problem = "nothing is validated in this run",
): void {
  if (validations.length > 0 && options.loop.evalFrequency !== undefined) return;
  const got = validations.length === 0 ? "no validation data" : "no evalFrequency";
  const expected = "validation to go by";
  refuse(ConfigError, where, problem, got, expected, 'fit(train, validation), and loop: { evalFrequency: "epoch" }');
}
