// Which values of a validated number are better, of a run that is only a folder: as its config's metrics say, or the library's of that name.
import { exists } from "#files";
import { SeedgradError } from "../core/errors.ts";
import type { Metric } from "../nn/metrics.ts";
import { type Mode, monitoredName } from "../optim/monitored.ts";
import { metrics } from "../train/config/families.ts";
import { loadConfig } from "../train/config/parse.ts";
import { modeOf } from "../train/numbers.ts";

/** The library's metrics that need no options. */
const standard = (): Metric[] =>
  metrics.names.flatMap((name) => {
    const { success, data } = metrics.schema.safeParse({ class: name });
    return success ? [metrics.make(data)] : [];
  });

/** The metrics of a folder's config; none where it has no config, or names what isn't imported here. */
function configured(folder: string): Metric[] {
  if (!exists(`${folder}/config.yaml`)) return [];
  try {
    return loadConfig(`${folder}/config.yaml`).trainer.init.metrics.map((choice) => metrics.make(choice));
  } catch (error) {
    if (error instanceof SeedgradError) return [];
    throw error;
  }
}

/** Says of a number's name, with `val_` before it or not, whether less or more of it is better; undefined where nothing says it. */
export function directionsOf(folder: string): (number: string) => Mode | undefined {
  const named = [...configured(folder), ...standard()].map((metric) => ({ name: metric.name, metric }));
  return (number) => modeOf({ metrics: named }, monitoredName(number));
}
