// A run's config from YAML: read, put in the schema's form, checked, with every complaint at its line and column; and back to YAML.

import { stringify } from "yaml";
import { readText, size } from "#files";
import { type Threads, threadsKind } from "../../backend/load.ts";
import {
  anything,
  checkArguments,
  type Kind,
  kind,
  listOf,
  number,
  oneOf,
  options as optionsOf,
  signature,
  string,
} from "../../core/arguments.ts";
import { canonicalJson, sha256, toHex } from "../../core/canonical.ts";
import { ConfigError, type ConfigPosition, refuse } from "../../core/errors.ts";
import { type Assignment, flagAssignment, withAssignments } from "./assign.ts";
import { toSchemaForm, toYamlForm } from "./form.ts";
import type { RunConfig } from "./options.ts";
import { type Config, configSchema } from "./schema.ts";
import { type SourceMap, validate } from "./validate.ts";
import { formatPath, longestText, type Path, parseYaml, type YamlSource } from "./yaml.ts";

/** What a command line may put in place of what the file says. */
export interface ConfigOverrides {
  readonly seed?: bigint;
  readonly modelDir?: string;
  readonly maxSteps?: number;
  readonly backend?: string;
  readonly threads?: Threads;
  readonly deterministic?: "strict" | "warn";
  /** Any other key of the file, as `KEY=VALUE`: a path as the file has it, a value as YAML. What is given by name here comes after. */
  readonly set?: readonly string[];
}

/** A config as parsing gives it. */
export const configKind: Kind = kind(
  "a parsed config",
  (value) => configSchema.safeParse(value).success,
  (_, value) => {
    validate(configSchema, value);
    return undefined;
  },
);
const overrides = optionsOf<ConfigOverrides>({
  "seed?": anything,
  "modelDir?": string,
  "maxSteps?": number,
  "backend?": string,
  "threads?": threadsKind,
  "deterministic?": oneOf(["strict", "warn"]),
  "set?": listOf(string, "a list of KEY=VALUE texts"),
});
const parsing = { text: string, file: string, "overrides?": overrides };
const loading = { path: string, "overrides?": overrides };
const calls = {
  parseConfig: signature("parseConfig", parsing),
  parsePhases: signature("parsePhases", parsing),
  loadConfig: signature("loadConfig", loading),
  loadPhases: signature("loadPhases", loading),
  continuePhase: signature("continuePhase", { config: configKind, checkpoint: string }),
  configToYaml: signature("configToYaml", { config: configKind }),
  configHash: signature("configHash", { config: configKind }),
};

/** What a config wants imported before it can be checked: `imports`, as far as it is a list of texts. Throws ConfigError for a text that is no YAML. */
export function importsOf(path: string): string[] {
  const { value } = parseYaml(readConfigText(path), path);
  const { imports } = (value ?? {}) as { imports?: unknown };
  return Array.isArray(imports) ? imports.filter((item) => typeof item === "string") : [];
}

/** Parses and checks a config; `file` is its name in errors. Throws ConfigError with file:line:column, for several phases too: see `parsePhases`. */
export function parseConfig(text: string, file: string, overrides: ConfigOverrides = {}): Config {
  checkArguments(calls.parseConfig, arguments);
  return oneTrainer(parsePhases(text, file, overrides), file);
}

/** As `parsePhases`, of YAML that was parsed before, with values in place of its own. */
export function parseAssigned(
  source: YamlSource,
  file: string,
  assignments: readonly Assignment[],
  overrides: ConfigOverrides,
): Config[] {
  return withAssignments(source, assignments, (whole) => parseSource(whole, file, overrides));
}

function oneTrainer([config, ...others]: readonly Config[], file: string): Config {
  if (others.length === 0) return config;
  const got = `${others.length + 1} trainers`;
  const hint = "fit takes phases; what it writes into each phase's folder is a config of one trainer";
  refuse(ConfigError, `${file}: trainer`, "a list of phases, where one trainer is wanted", got, undefined, hint);
}

/**
 * Parses and checks a config of one trainer, or of a list of them that are run in order: a config for each. A phase's folder is its own `model_dir`, or
 * `phase-1`, `phase-2` … in the folder of the whole. Throws ConfigError with file:line:column.
 */
export function parsePhases(text: string, file: string, overrides: ConfigOverrides = {}): Config[] {
  checkArguments(calls.parsePhases, arguments);
  const assignments = lastOfEach((overrides.set ?? []).map(flagAssignment));
  return withAssignments(parseYaml(text, file), assignments, (source) => parseSource(source, file, overrides));
}

/** Of assignments that are written with the same key the last: a flag that is given again. */
const lastOfEach = (all: readonly Assignment[]): Assignment[] =>
  all.filter(({ path }, i) => !all.slice(i + 1).some((later) => formatPath(later.path) === formatPath(path)));

function parseSource(source: YamlSource, file: string, overrides: ConfigOverrides): Config[] {
  const { value, author } = toSchemaForm(source);
  const record = value as { trainer?: unknown } | null;
  const list = Array.isArray(record?.trainer) && record.trainer.length > 0 ? (record.trainer as unknown[]) : undefined;
  const folder = `runs/${nameOf(file)}`;
  if (!list) return [parseOne(value, overrides, author, folder)];
  return list.map((trainer, i) => {
    const place = (path: Path): Path => (path[0] === "trainer" ? ["trainer", i, ...path.slice(1)] : path);
    const shifted: SourceMap = {
      path: (path) => author.path(place(path)),
      key: author.key,
      keyPosition: (path) => author.keyPosition?.(place(path)),
      valuePosition: (path) => author.valuePosition?.(place(path)),
    };
    const { modelDir = folder } = overrides;
    const phase = `${modelDir}/phase-${i + 1}`;
    const changes = { ...overrides, modelDir: overrides.modelDir === undefined ? undefined : phase };
    return parseOne({ ...record, trainer }, changes, shifted, phase);
  });
}

/** `folder`: the run's where the config names none. */
function parseOne(value: unknown, overrides: ConfigOverrides, author: SourceMap, folder: string): Config {
  const config = applyOverrides(validate(configSchema, value, author), overrides, folder);
  authors.set(config.trainer.init.model, author);
  return config;
}

/** By the model of a config that came from YAML, which is the same object in what is made of the config: where things are in the text. */
const authors = new WeakMap<object, SourceMap>();

/** Where a path of a config's schema form is in the YAML text: for errors that show only when a run begins. Undefined for a config from elsewhere. */
export function placeOf(
  config: RunConfig,
  path: Path,
): { readonly where: string; readonly position?: ConfigPosition } | undefined {
  const author = authors.get(config.trainer.init.model);
  return author && { where: author.path(path), position: author.valuePosition?.(path) };
}

const nameOf = (file: string): string =>
  file
    .split(/[\\/]/)
    .at(-1)!
    .replace(/\.ya?ml$/, "");

function applyOverrides(config: Config, overrides: ConfigOverrides, folder: string): Config {
  const { init } = config.trainer;
  const { seed, modelDir, maxSteps, backend, threads, deterministic } = overrides;
  const changed = {
    ...init,
    seed: seed ?? init.seed,
    modelDir: modelDir ?? init.modelDir ?? folder,
    backend: backend ?? init.backend,
    threads: threads ?? init.threads,
    deterministic: deterministic ?? init.deterministic,
    loop: maxSteps === undefined ? init.loop : { ...init.loop, maxSteps },
  };
  return validate(configSchema, { ...config, trainer: { ...config.trainer, init: changed } });
}

/** A config's text. Throws ConfigError for a file that isn't there, and before reading one that is no config by its length. */
export function readConfigText(path: string): string {
  const length = size(path, ConfigError);
  if (length <= longestText * 4) return readText(path, ConfigError);
  refuse(ConfigError, path, "the config is too long", `${length} bytes`, `≤ ${longestText} characters`);
}

/** Parses and checks a config file. Throws ConfigError. */
export function loadConfig(path: string, overrides: ConfigOverrides = {}): Config {
  checkArguments(calls.loadConfig, arguments);
  return parseConfig(readConfigText(path), path, overrides);
}

/** As `loadConfig`, for a file of one trainer or of several phases. */
export function loadPhases(path: string, overrides: ConfigOverrides = {}): Config[] {
  checkArguments(calls.loadPhases, arguments);
  return parsePhases(readConfigText(path), path, overrides);
}

/** A phase that begins with the weights of the one before: its checkpoint is loaded, unless the phase says itself what it loads. */
export function continuePhase(config: Config, checkpoint: string): Config {
  checkArguments(calls.continuePhase, arguments);
  const { trainer } = config;
  const { callbacks } = trainer.init;
  if (callbacks.some((choice) => choice.class === "LoadCheckpointStates")) return config;
  const load = { class: "LoadCheckpointStates", path: checkpoint };
  const changed = validate(configSchema, {
    ...config,
    trainer: { ...trainer, init: { ...trainer.init, callbacks: [...callbacks, load] } },
  });
  const author = authors.get(trainer.init.model);
  if (author) authors.set(changed.trainer.init.model, author);
  return changed;
}

/** The effective config as YAML: parses to the same config again. */
export function configToYaml(config: Config): string {
  checkArguments(calls.configToYaml, arguments);
  return stringify(toYamlForm(config), { lineWidth: 120 });
}

/** As `configToYaml`, of a config's phases: parses to the same phases again. */
export function phasesToYaml(phases: readonly Config[]): string {
  if (phases.length === 1) return configToYaml(phases[0]);
  const forms = phases.map((config) => toYamlForm(config) as { trainer: unknown });
  return stringify({ ...forms[0], trainer: forms.map(({ trainer }) => trainer) }, { lineWidth: 120 });
}

/** SHA-256 of the config without what no bit of training depends on (folder, backend, threads, audit): 64 hex digits. */
export function configHash(config: Config): string {
  checkArguments(calls.configHash, arguments);
  const { modelDir: _folder, backend: _backend, threads: _threads, audit: _audit, seed, ...init } = config.trainer.init;
  const { fit, validate } = config.trainer;
  // A flag's seed is a bigint, and one of the file a number as far as there is one: the same seed is the same config.
  const same = seed !== null && seed <= Number.MAX_SAFE_INTEGER ? Number(seed) : seed;
  const json = canonicalJson(toYamlForm({ trainer: { init: { ...init, seed: same }, fit, validate } }));
  return toHex(sha256(new TextEncoder().encode(json)));
}
