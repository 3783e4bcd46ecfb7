// From runs' folders to their results: what each came to, what runs of the same settings came to over their seeds, and which settings are the best.
import { exists } from "#files";
import { canonicalJson } from "../core/canonical.ts";
import { ConfigError, didYouMean, SeedgradError } from "../core/errors.ts";
import { ownValue } from "../core/keys.ts";
import type { Mode } from "../optim/monitored.ts";
import {
  countedValue,
  type GroupMetric,
  type GroupResult,
  type GroupTarget,
  isOver,
  type MetricResult,
  type Results,
  type RunResult,
  type RunState,
  type Setting,
  type Target,
} from "../report/results.ts";
import { directionsOf } from "./directions.ts";
import { type Outcome, readOutcome } from "./outcome.ts";
import { differingSettings, settingOf } from "./settings.ts";
import { spreadOf, trimmedMean } from "./statistics.ts";

/** A run whose results are wanted. */
export interface ListedRun {
  readonly folder: string;
  /** What the table calls it; its folder where it is left out. */
  readonly name?: string;
  /** Of a planned run: what varies, by the config's keys. A planned run may have no folder yet, and one that can't be read counts as failed. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Of a planned run, decimal. */
  readonly seed?: string;
  /** Where more is known than the folder tells. */
  readonly state?: RunState;
  readonly reason?: string;
}

/** What the results are read for. */
export interface Aims {
  /** The number that groups are ranked by, as a config names it (`accuracy`). Left out: the target's, or what the runs themselves go by, or the loss. */
  readonly metric?: { readonly name: string; readonly mode?: Mode };
  /** A value to be reached. */
  readonly target?: { readonly name: string; readonly mode?: Mode; readonly value: number };
}

interface Read extends ListedRun {
  readonly outcome?: Outcome;
}

/** Says of a number whether less or more of it is better, as far as one of the runs says it. */
type Direction = (metric: string) => Mode | undefined;

/**
 * The results of runs, in their order. Throws CheckpointError for a folder that holds no run or is damaged, unless the run is a planned one; ConfigError, with the nearest
 * name, for a metric that no run has, and for one of which nothing says whether less or more is better.
 */
export function resultsOf(listed: readonly ListedRun[], aims: Aims = {}): Results {
  const read = listed.map(readListed);
  const outcomes = read.flatMap(({ outcome }) => outcome ?? []);
  const settings = settingsOf(read);
  const direction = directionOf(outcomes);
  const target = targetOf(outcomes, aims, direction);
  const ranking = rankingOf(outcomes, aims, target, direction);
  const asked = [target, ranking].flatMap((each) => each?.metric ?? []);
  const metrics = columnsOf(outcomes, asked);
  const runs = read.map((run, i) => runResult(run, settings[i], { metrics, target, direction }));
  const keys = [...new Set(settings.flatMap((each) => Object.keys(each)))];
  const groups = groupsOf(runs, keys, metrics, target);
  return {
    settings: keys,
    metrics,
    runs,
    groups,
    ...(ranking && { ranking }),
    ranked: ranking ? rank(groups, ranking) : [],
    ...(target && { target }),
    notes: [...outcomes.flatMap(({ notes }) => notes), ...disagreements(runs, keys)],
  };
}

function readListed(run: ListedRun): Read {
  if (!run.settings) return { ...run, outcome: readOutcome(run.folder) };
  if (!exists(`${run.folder}/manifest.json`)) return run;
  try {
    return { ...run, outcome: readOutcome(run.folder) };
  } catch (error) {
    if (!(error instanceof SeedgradError)) throw error;
    return { ...run, state: "failed", reason: error.message };
  }
}

/** The settings of planned runs as they were planned; of others those in which they differ. */
function settingsOf(read: readonly Read[]): Record<string, Setting>[] {
  const manifests = read.flatMap(({ settings, outcome }) => (settings ? [] : [outcome!.manifest]));
  const differing = differingSettings(manifests);
  return read.map(({ settings }) => (settings ? (settingOf(settings) as Record<string, Setting>) : differing.shift()!));
}

function directionOf(outcomes: readonly Outcome[]): Direction {
  const known = new Map<string, (number: string) => Mode | undefined>();
  // Runs of one sweep have the same metrics: their config is read once.
  for (const { folder, manifest } of outcomes) {
    const { metrics = null } = (manifest.config as { trainer?: { init?: { metrics?: unknown } } })?.trainer?.init ?? {};
    const key = canonicalJson(metrics);
    if (!known.has(key)) known.set(key, directionsOf(folder));
  }
  return (metric) => {
    if (metric === "loss") return "min";
    for (const of of known.values()) {
      const mode = of(metric);
      if (mode) return mode;
    }
    return undefined;
  };
}

/** The name that a number is logged by: a validation's, where one has it, else as it stands. Throws ConfigError where no run has it. */
function loggedName(where: string, name: string, outcomes: readonly Outcome[]): string {
  const names = new Set(outcomes.flatMap(({ numbers }) => Object.keys(numbers)));
  const found = [`val_${name}`, name].find((each) => names.has(each));
  if (found !== undefined) return found;
  const known = [...new Set([...names].map((each) => each.replace(/^val_/, "")))];
  throw new ConfigError({
    where,
    problem: "no run has a number of this name",
    got: name,
    expected: `one of ${known.join(", ") || "none: no run has taken a step"}`,
    hint:
      didYouMean(name, known) ??
      ([...names].some((each) => each.startsWith("val_"))
        ? undefined
        : "no run has validated: trainer.init.loop.eval_frequency says when one does"),
  });
}

/** Throws ConfigError where nothing says which values are better. */
function knownMode(where: string, metric: string, given: Mode | undefined, direction: Direction): Mode {
  const mode = given ?? direction(metric);
  if (mode) return mode;
  throw new ConfigError({
    where,
    problem: "nothing says whether less or more of this number is better",
    got: metric,
    expected: "min or max",
    hint: `say it: --metric ${metric}=min, or --target '${metric}<=VALUE'; in a sweep's file mode beside the name`,
  });
}

function targetOf(outcomes: readonly Outcome[], { target }: Aims, direction: Direction): Target | undefined {
  if (!target) return undefined;
  const metric = loggedName("target", target.name, outcomes);
  return { metric, mode: knownMode("target", metric, target.mode, direction), value: target.value };
}

function rankingOf(
  outcomes: readonly Outcome[],
  { metric: asked }: Aims,
  target: Target | undefined,
  direction: Direction,
): Results["ranking"] {
  if (asked) {
    const metric = loggedName("metric", asked.name, outcomes);
    return { metric, mode: knownMode("metric", metric, asked.mode, direction) };
  }
  if (target) return { metric: target.metric, mode: target.mode };
  const { monitor } = outcomes.find((outcome) => outcome.monitor) ?? {};
  const names = new Set(outcomes.flatMap(({ numbers }) => Object.keys(numbers)));
  const wanted = [...(monitor ? [monitor.metric.replace(/^val_/, "")] : []), "loss"];
  for (const name of wanted) {
    const metric = [`val_${name}`, name].find((each) => names.has(each));
    const mode = metric && ((name !== "loss" && monitor?.mode) || direction(metric));
    if (metric && mode) return { metric, mode };
  }
  return undefined;
}

/** Validations' numbers and those that a loop recorded, in the order in which they were logged; the training loss; what is asked for. */
function columnsOf(outcomes: readonly Outcome[], asked: readonly string[]): string[] {
  const names = outcomes.flatMap(({ numbers, recorded }) =>
    Object.keys(numbers).filter((name) => recorded || name.startsWith("val_")),
  );
  const found = new Set([...names, ...asked]);
  found.delete("loss");
  return outcomes.length > 0 ? ["loss", ...found] : [];
}

interface Wanted {
  readonly metrics: readonly string[];
  readonly target: Target | undefined;
  readonly direction: Direction;
}

function runResult(
  { folder, name = folder, seed, state, reason, outcome }: Read,
  settings: Readonly<Record<string, Setting>>,
  { metrics, target, direction }: Wanted,
): RunResult {
  if (!outcome) {
    const missing = { name, folder, settings, seed, state: state ?? "missing", steps: 0, metrics: {}, series: [] };
    return { ...missing, ...(reason !== undefined && { reason }) };
  }
  const { manifest, numbers, steps, monitor } = outcome;
  const { seconds } = manifest.environment;
  const { digest, stopped } = manifest.result ?? {};
  const why = reason ?? stopped;
  const own = metrics.filter((metric) => Object.hasOwn(numbers, metric));
  const targetStep = target && firstReached(ownValue(numbers, target.metric), target);
  return {
    name,
    folder,
    state: state ?? outcome.state,
    ...(why !== undefined && { reason: why }),
    settings,
    seed: manifest.seed,
    steps,
    ...(digest !== undefined && { digest }),
    ...(seconds !== undefined && { seconds: Number(seconds) }),
    metrics: Object.fromEntries(own.map((metric) => [metric, metricResult(metric, numbers[metric], direction)])),
    ...(monitor && { monitor }),
    ...(targetStep !== undefined && { targetStep }),
    series: own.map((metric) => ({ name: metric, ...numbers[metric] })),
  };
}

type Logged = Outcome["numbers"][string];

/** The best of training's own noise would be of one lucky batch, so that `loss` has none. */
function metricResult(metric: string, { steps, values }: Logged, direction: Direction): MetricResult {
  const last = { last: values[values.length - 1], lastStep: steps[steps.length - 1] };
  const mode = metric.startsWith("val_") ? direction(metric) : undefined;
  if (!mode) return last;
  let at = -1;
  values.forEach((value, i) => {
    if (Number.isFinite(value) && (at < 0 || (mode === "min" ? value < values[at] : value > values[at]))) at = i;
  });
  return at < 0 ? last : { ...last, best: values[at], bestStep: steps[at] };
}

function firstReached(logged: Logged | undefined, { mode, value: wanted }: Target): number | undefined {
  const at = logged?.values.findIndex((value) => (mode === "max" ? value >= wanted : value <= wanted)) ?? -1;
  return at < 0 ? undefined : logged!.steps[at];
}

function groupsOf(
  runs: readonly RunResult[],
  keys: readonly string[],
  metrics: readonly string[],
  target: Target | undefined,
): GroupResult[] {
  const groups = new Map<string, number[]>();
  runs.forEach((run, i) => {
    const key = settingsKey(run, keys);
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return [...groups.values()].map((places) => {
    const own = places.map((i) => runs[i]);
    const of = (metric: string): GroupMetric => {
      const values = own.map((run) => countedValue(run.metrics[metric]));
      const spread = spreadOf(values.filter((value) => value !== undefined && Number.isFinite(value)) as number[]);
      return { values, ...(spread && { spread }) };
    };
    return {
      settings: own[0].settings,
      runs: places,
      metrics: Object.fromEntries(metrics.map((metric) => [metric, of(metric)])),
      ...(target && { target: groupTarget(own) }),
    };
  });
}

const settingsKey = ({ settings }: RunResult, keys: readonly string[]): string =>
  canonicalJson(keys.map((key) => [key, settings[key]]));

function groupTarget(runs: readonly RunResult[]): GroupTarget {
  const reached = runs.flatMap(({ targetStep }) => targetStep ?? []);
  const missed = runs.filter(({ targetStep, state }) => targetStep === undefined && isOver(state)).length;
  const open = runs.length - reached.length - missed;
  const counted = [...reached, ...Array.from({ length: missed }, () => Number.POSITIVE_INFINITY)];
  const spread = spreadOf(counted);
  const score = open === 0 && missed <= 1 ? trimmedMean(counted) : undefined;
  return { reached: reached.length, missed, open, ...(spread && { spread }), ...(score !== undefined && { score }) };
}

function rank(groups: readonly GroupResult[], { metric, mode }: NonNullable<Results["ranking"]>): number[] {
  const median = (i: number) => groups[i].metrics[metric]?.spread?.median;
  const sign = mode === "min" ? 1 : -1;
  return [...groups.keys()]
    .filter((i) => median(i) !== undefined)
    .sort((a, b) => sign * (median(a)! - median(b)!) || a - b);
}

/** Finished runs of the same settings and seed must come to the same digest. */
function disagreements(runs: readonly RunResult[], keys: readonly string[]): string[] {
  const first = new Map<string, RunResult>();
  return runs.flatMap((run) => {
    if (run.digest === undefined) return [];
    const key = `${run.seed} ${settingsKey(run, keys)}`;
    const other = first.get(key);
    if (!other) first.set(key, run);
    if (!other || other.digest === run.digest) return [];
    return [`${other.name} and ${run.name}: the same settings and seed, and other digests: seedgrad diff says why`];
  });
}
