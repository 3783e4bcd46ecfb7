// The names of a validation's numbers: the first loader's are plain, those of the others begin with the loader's name.
import { ConfigError, refuse } from "../core/errors.ts";
import type { DataLoader } from "../data/loader.ts";
import type { Mode, NumberNames } from "../optim/monitored.ts";
import type { ResolvedSettings } from "./config/options.ts";
import type { TrainerView } from "./contract.ts";

type Metrics = Pick<ResolvedSettings, "metrics">;

/** Which values are better, of the loss and of each metric that says so. */
const directed = ({ metrics }: Metrics): [string, Mode][] => [
  ["loss", "min"],
  ...metrics.flatMap(({ name, metric: { mode } }): [string, Mode][] => (mode ? [[name, mode]] : [])),
];

/** The names that the numbers of a validation on these loaders may have: the loss's, and each metric's, which may be of several numbers. */
export function numberNames(
  settings: Pick<ResolvedSettings, "metrics" | "loss">,
  loaders: readonly DataLoader[],
): NumberNames {
  const own = settings.metrics.map(({ name }) => name);
  const of = (names: readonly string[]) =>
    loaders.flatMap((_, i) => (i === 0 ? names : names.map((name) => `${loaderLabel(loaders, i)}/${name}`)));
  const modes = directed(settings).flatMap(([name, mode]) => of([name]).map((full) => [full, mode] as const));
  const open = settings.loss === undefined;
  return { names: of(["loss", ...own]), several: of(own), modes: Object.fromEntries(modes), open };
}

/** Which values of a validated number are better, as its loss or metric says, where the run's loaders aren't known: for a name of any loader's. */
export const modeOf = (settings: Metrics, number: string): Mode | undefined =>
  directed(settings).find(([name]) => `/${number}/`.includes(`/${name}/`))?.[1];

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
