// A sweep's runs from its file, as pure data: a base config, the settings of each run, its seed, and the config that comes of them. What varies is put
// into the config as `--set` puts it there, so that the schema checks it; an error is at its place in the sweep's file.
import { readText } from "#files";
import { canonicalJson, sha256Hex } from "../core/canonical.ts";
import { ConfigError, didYouMean } from "../core/errors.ts";
import { missingKey, ownValue } from "../core/keys.ts";
import type { Metric } from "../nn/metrics.ts";
import { monitoredName } from "../optim/monitored.ts";
import { Stream } from "../rng/stream.ts";
import { recordedImports } from "../run/programs.ts";
import { type Assignment, pathOf } from "../train/config/assign.ts";
import { metrics } from "../train/config/families.ts";
import { configHash, parseAssigned, phasesToYaml, readConfigText } from "../train/config/parse.ts";
import { checkPhases } from "../train/config/phases.ts";
import type { Config } from "../train/config/schema.ts";
import { formatPath, type Path, parseYaml, type YamlSource } from "../train/config/yaml.ts";
import { modeOf } from "../train/numbers.ts";
import { mostRuns, readSweepFile, type SweepFile } from "./file.ts";
import { type Draw, rangeAt } from "./ranges.ts";
import { valueSource } from "./values.ts";

/** One run of a sweep. */
export interface PlannedRun {
  /** From 0, in the plan's order. */
  readonly index: number;
  /** Of its folder: the beginning of its config's hash, 16 hex digits. */
  readonly name: string;
  /** What varies, by the keys of the sweep's file: any values of YAML. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Decimal. */
  readonly seed: string;
  /** The resolved config as YAML, defaults included; its folder is the run's. */
  readonly config: string;
  /** Of a config of several phases: how many. */
  readonly phases?: number;
}

/** A sweep, planned. */
export interface SweepPlan {
  /** The sweep's file, and its base config. */
  readonly file: string;
  readonly base: string;
  /** What holds the runs' folders. */
  readonly folder: string;
  /** The number of a validation that runs are compared by, and a value to be reached; undefined where the file names none. */
  readonly metric?: NonNullable<SweepFile["metric"]>;
  readonly runs: readonly PlannedRun[];
  /** How many draws of `random` came to a config that was there already, and make no run of their own. */
  readonly repeated: number;
}

/** What a plan is made with beside its file. */
export interface PlanOptions {
  /** In place of the file's own folder. */
  readonly folder?: string;
  /** The programs that were imported for the base config, which are saved with each run. */
  readonly imports?: readonly string[];
}

/** The base config that a sweep's file names. Throws ConfigError for a file that is no sweep. */
export function baseOf(file: string): string {
  return baseFrom(file, readSweepFile(parseYaml(readText(file, ConfigError), file)));
}

/** Reads a sweep's file and plans its runs; their programs must have been imported. Throws ConfigError with file:line:column, in the sweep's file or in the base config. */
export function loadSweep(file: string, options: PlanOptions = {}): SweepPlan {
  return planSweep(readText(file, ConfigError), file, options);
}

/** As `loadSweep`, of the file's text. */
export function planSweep(text: string, file: string, { folder, imports = [] }: PlanOptions = {}): SweepPlan {
  const source = parseYaml(text, file);
  const sweep = readSweepFile(source);
  const base = baseFrom(file, sweep);
  const config = parseYaml(readConfigText(base), base);
  const where = folder ?? sweep.folder ?? `runs/${sweepName(file)}`;
  const programs = Object.values(recordedImports({ imports }, where) ?? {}).map(({ sha256 }) => sha256);
  const runs: PlannedRun[] = [];
  const places = new Map<string, Point>();
  const validated: Metric[] = [];
  // A model with a loss of its own says other numbers, which are known once they are computed.
  let open = false;
  let repeated = 0;
  for (const point of pointsOf(source, sweep)) {
    const { settings, assignments } = point;
    for (const seed of seedsOf(sweep, config)) {
      const given = parseAssigned(config, base, assignments, { seed, threads: sweep.threads });
      checkPhases(base, given);
      if (given.some(({ trainer }) => trainer.init.fastDevRun !== undefined)) throw unwritten(base);
      const { init } = given.at(-1)!.trainer;
      validated.push(...init.metrics.map((choice) => metrics.make(choice)));
      open ||= init.loss === undefined;
      const parsed = given.map((phase): Config => ({ ...phase, ...(imports.length > 0 && { imports: [...imports] }) }));
      const name = nameOfRun(parsed, programs);
      const same = places.get(name);
      if (same) {
        if (!point.drawn) throw twice(point, same);
        repeated++;
        continue;
      }
      places.set(name, point);
      const folders = foldersOf(`${where}/${name}`, parsed.length);
      const text = phasesToYaml(parsed.map((phase, i) => inFolder(phase, folders[i])));
      const phases = parsed.length > 1 ? { phases: parsed.length } : {};
      runs.push({ index: runs.length, name, settings, seed: String(seed), config: text, ...phases });
    }
  }
  checkMetric(source, sweep, { validated, open });
  return { file, base, folder: where, metric: sweep.metric, runs, repeated };
}

/** Throws ConfigError where no run validates the number that runs are compared by, or nothing says which of its values are better: at the end of a sweep it would be late to say so. */
function checkMetric(
  source: YamlSource,
  { metric }: SweepFile,
  { validated, open }: { readonly validated: readonly Metric[]; readonly open: boolean },
): void {
  if (!metric) return;
  const name = monitoredName(metric.name);
  const known = [...new Set(["loss", ...validated.map((each) => each.name)])];
  const position = source.valuePosition(["metric", "name"]);
  // Of several loaders `LOADER/accuracy`; of a metric of several numbers `per_class_accuracy/3`.
  if (!open && !known.some((each) => `/${name}/`.includes(`/${each}/`))) {
    throw new ConfigError({
      where: "metric.name",
      problem: "no run of the sweep validates such a number",
      got: metric.name,
      expected: `one of ${known.join(", ")}`,
      hint: didYouMean(name, known) ?? "trainer.init.metrics of the config names what is validated beside the loss",
      position,
    });
  }
  if (metric.mode ?? modeOf({ metrics: validated.map((each) => ({ name: each.name, metric: each })) }, name)) return;
  throw new ConfigError({
    where: "metric.mode",
    problem: "nothing says whether less or more of this number is better",
    got: metric.name,
    expected: "min or max",
    position,
  });
}

/** Of the config, or its phases, and of the programs that its classes come from: a run of another program is another run. */
export function nameOfRun(phases: readonly Config[], programs: readonly string[]): string {
  const hashes = [...phases.map((phase) => configHash(phase)), ...programs];
  const whole = hashes.length === 1 ? hashes[0] : sha256Hex(new TextEncoder().encode(hashes.join()));
  return whole.slice(0, 16);
}

const inFolder = ({ trainer, ...others }: Config, modelDir: string): Config => ({
  ...others,
  trainer: { ...trainer, init: { ...trainer.init, modelDir } },
});

const foldersOf = (folder: string, phases = 1): string[] =>
  phases === 1 ? [folder] : Array.from({ length: phases }, (_, i) => `${folder}/phase-${i + 1}`);

/** The folders that a run writes, in their order: its own, or one for each of its phases, the last of which has what it comes to. */
export const runFolders = ({ folder }: Pick<SweepPlan, "folder">, { name, phases }: PlannedRun): string[] =>
  foldersOf(`${folder}/${name}`, phases);

/** A run that leaves no folder can't be told from one that wasn't made. */
const unwritten = (base: string): ConfigError =>
  new ConfigError({
    where: `${base}: trainer.init.fast_dev_run`,
    problem: "such a run writes nothing, and a sweep goes by what its runs write",
    hint: "try the config by seedgrad fit, and leave it out for the sweep",
  });

function twice({ settings, position }: Point, same: Point): ConfigError {
  return new ConfigError({
    where: "sweep",
    problem: "two runs of one config",
    got: `${canonicalJson(settings)} and ${canonicalJson(same.settings)}`,
    expected: "settings that change what is trained",
    hint: "no bit of a run depends on where, how fast or on which backend it runs",
    position,
  });
}

/** What a sweep is called: its file's name without its ending. */
export const sweepName = (file: string): string =>
  file
    .split(/[\\/]/)
    .at(-1)!
    .replace(/\.ya?ml$/, "");

/** A path in the sweep's file, from the folder that the file is in. */
function baseFrom(file: string, { config }: SweepFile): string {
  const folder = /^(.*[\\/])[^\\/]*$/.exec(file)?.[1] ?? "";
  return /^([\\/]|[A-Za-z]:)/.test(config) ? config : `${folder}${config}`;
}

/** The settings of a run, but for its seed. */
interface Point {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly assignments: readonly Assignment[];
  /** Whether some of it was drawn. */
  readonly drawn: boolean;
  /** Of what varies in it, the last in the file. */
  readonly position: Assignment["position"];
}

/** Every combination: of an item of `list`, a draw of `random`, and a value of each key of `grid`; the last of these turns fastest. */
function pointsOf(source: YamlSource, sweep: SweepFile): Point[] {
  const { set, grid, list, random } = sweep;
  const keyed = (key: string, path: Path): Keyed => {
    const position = source.keyPosition(path);
    return { key, path: configPath(key, formatPath(path), position), position };
  };
  const setting = (key: string, path: Path): Setting => ({ ...keyed(key, path), value: valueSource(source, path) });
  const fixed = Object.keys(set).map((key) => setting(key, ["set", key]));
  const items = (list ?? [{}]).map((item, i) => Object.keys(item).map((key) => setting(key, ["list", i, key])));
  const axes = Object.entries(grid).map(([key, values]) => {
    const axis = keyed(key, ["grid", key]);
    return values.map((_, i): Setting => ({ ...axis, value: valueSource(source, ["grid", key, i]) }));
  });
  const draws = drawsOf(source, sweep, keyed);
  const count = axes.reduce((product, axis) => product * axis.length, items.length * draws.length * seedCount(sweep));
  if (count > mostRuns) {
    throw new ConfigError({
      where: "sweep",
      problem: "too many runs",
      got: String(count),
      expected: `at most ${mostRuns}`,
      position: source.valuePosition([]),
    });
  }
  const parts = [items, draws, ...axes.map((axis) => axis.map((setting) => [setting]))];
  const combined = parts.reduce<Setting[][]>(
    (sofar, part) => sofar.flatMap((before) => part.map((settings) => [...before, ...settings])),
    [[]],
  );
  return combined.map((varying) => ({
    settings: Object.fromEntries(varying.map(({ key, value: { value: item } }) => [key, item])),
    // A key inside what another one gives is put into it, wherever they stand.
    assignments: [...fixed, ...varying].sort((a, b) => a.path.length - b.path.length),
    drawn: random !== undefined,
    position: varying.at(-1)?.value.valuePosition([]) ?? source.valuePosition([]),
  }));
}

/** A key of the config, as the sweep's file has it, and where. */
interface Keyed extends Omit<Assignment, "value"> {
  readonly key: string;
}
type Setting = Assignment & Keyed;

/** The settings of each draw, in the order of the stream: a larger count begins as a smaller one does. */
function drawsOf(
  source: YamlSource,
  { random, seed }: SweepFile,
  keyed: (key: string, path: Path) => Keyed,
): Setting[][] {
  if (!random) return [[]];
  const { count, ...ranges } = random;
  const keys = Object.keys(ranges).map((key): [Keyed, Draw] => [
    keyed(key, ["random", key]),
    rangeAt(source, ["random", key]),
  ]);
  if (keys.length === 0) {
    const position = source.keyPosition(["random"]);
    throw missingKey("random", "a key of the config, with a range to draw from", position);
  }
  const stream = new Stream(seed);
  return Array.from({ length: count }, () => keys.map(([key, draw]) => ({ ...key, value: draw(stream) })));
}

/** Keys that a sweep decides itself, and what to give instead. */
const own: Readonly<Partial<Record<string, string>>> = {
  "trainer.init.seed": "give seeds: a number of them, or a list",
  "trainer.init.model_dir": "give folder: each run has a folder of its own in it",
  "trainer.init.threads": "give threads: no bit of a run depends on them",
  "trainer.init.audit": "say it in the config: no bit of a run depends on it",
  "trainer.init.backend": "say it in the config: no bit of a run depends on it",
};

function configPath(key: string, where: string, position: Assignment["position"]): Path {
  const path = pathOf(key);
  if (!path) {
    throw new ConfigError({
      where,
      problem: "not a key of a config",
      got: JSON.stringify(key),
      expected: "keys with dots between them, as in trainer.init.optimizer.AdamW.learning_rate",
      position,
    });
  }
  const hint =
    path[0] === "imports"
      ? "say it in the config: programs are imported before it is read"
      : ownValue(own, path.filter((part) => typeof part === "string").join("."));
  if (hint === undefined) return path;
  throw new ConfigError({ where, problem: "not a key that varies over a sweep", got: key, hint, position });
}

const seedCount = ({ seeds }: SweepFile): number => (Array.isArray(seeds) ? seeds.length : seeds);

/** The seeds that the file lists, or so many from the config's own on. */
function seedsOf({ seeds }: SweepFile, config: YamlSource): bigint[] {
  if (Array.isArray(seeds)) return seeds.map(BigInt);
  const first = (path: Path) => valueSource(config, path).value;
  const value = first(["trainer", "init", "seed"]) ?? first(["trainer", 0, "init", "seed"]);
  // Another number is no seed: the config's own check says so.
  const begin = Number.isSafeInteger(value) || typeof value === "bigint" ? BigInt(value as number | bigint) : 0n;
  return Array.from({ length: seeds }, (_, i) => (begin + BigInt(i)) % 2n ** 64n);
}
