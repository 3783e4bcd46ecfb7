// A run's config from YAML: read, put in the schema's form, checked, with every complaint at its line and column; and back to YAML.
import { stringify } from "yaml";
import { readText } from "#files";
import { canonicalJson, sha256, toHex } from "../../core/canonical.ts";
import { ConfigError } from "../../core/errors.ts";
import { toSchemaForm, toYamlForm } from "./form.ts";
import { type Config, configSchema } from "./schema.ts";
import { validate } from "./validate.ts";
import { parseYaml } from "./yaml.ts";

/** What a command line may put in place of what the file says. */
export interface ConfigOverrides {
  readonly seed?: bigint;
  readonly modelDir?: string;
  readonly maxSteps?: number;
  readonly backend?: string;
  readonly threads?: number;
  readonly deterministic?: "strict" | "warn";
  /** Programs imported beside those that the config names: saved with the run. */
  readonly imports?: readonly string[];
}

/** What a config wants imported before it can be checked: `imports`, as far as it is a list of texts. Throws ConfigError for a text that is no YAML. */
export function importsOf(path: string): string[] {
  const { value } = parseYaml(readText(path, ConfigError), path);
  const { imports } = (value ?? {}) as { imports?: unknown };
  return Array.isArray(imports) ? imports.filter((item) => typeof item === "string") : [];
}

/** Parses and checks a config; `file` is its name in errors. Throws ConfigError with file:line:column. */
export function parseConfig(text: string, file: string, overrides: ConfigOverrides = {}): Config {
  const source = parseYaml(text, file);
  const { value, author, origin } = toSchemaForm(source);
  const seedPath = ["trainer", "init", "seed"];
  const seedText = source.plainText(origin(seedPath));
  const init = (value as { trainer?: { init?: Record<string, unknown> } } | null)?.trainer?.init;
  if (init && typeof init.seed === "number" && seedText !== undefined && !/^(0|[1-9][0-9]*)$/.test(seedText)) {
    throw new ConfigError({
      where: "trainer.init.seed",
      problem: "not a value for this key",
      got: seedText,
      expected: "an integer in [0, 2^64), in decimal digits, or null for one that is drawn",
      position: author.valuePosition?.(seedPath),
    });
  }
  const config = validate(configSchema, value, author);
  return applyOverrides(config, overrides, file);
}

function applyOverrides(config: Config, overrides: ConfigOverrides, file: string): Config {
  const { init } = config.trainer;
  const { seed, modelDir, maxSteps, backend, threads, deterministic } = overrides;
  const name = file
    .replaceAll("\\", "/")
    .split("/")
    .at(-1)!
    .replace(/\.ya?ml$/, "");
  const changed = {
    ...init,
    seed: seed ?? init.seed,
    modelDir: modelDir ?? init.modelDir ?? `runs/${name}`,
    backend: backend ?? init.backend,
    threads: threads ?? init.threads,
    deterministic: deterministic ?? init.deterministic,
    loop: maxSteps === undefined ? init.loop : { ...init.loop, maxSteps },
  };
  const added = overrides.imports?.filter((path) => !config.imports.includes(path)) ?? [];
  const imports = [...config.imports, ...added];
  return validate(configSchema, { imports, trainer: { ...config.trainer, init: changed } });
}

/** Parses and checks a config file. Throws ConfigError. */
export function loadConfig(path: string, overrides: ConfigOverrides = {}): Config {
  return parseConfig(readText(path, ConfigError), path, overrides);
}

/** The effective config as YAML: parses to the same config again. */
export function configToYaml(config: Config): string {
  return stringify(toYamlForm(config), { lineWidth: 120 });
}

/** SHA-256 of the config without what no bit of training depends on (folder, backend, threads): 64 hex digits. */
export function configHash(config: Config): string {
  const { modelDir: _folder, backend: _backend, threads: _threads, ...init } = config.trainer.init;
  const { fit, validate } = config.trainer;
  const json = canonicalJson(toYamlForm({ trainer: { init, fit, validate } }));
  return toHex(sha256(new TextEncoder().encode(json)));
}
