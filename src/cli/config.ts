// `seedgrad config validate|show|diff`: configs alone; nothing is trained.

import { toYamlForm } from "../train/config/form.ts";
import { configHash, configToYaml } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";
import { type Outcome, oneLine, table } from "./command.ts";
import type { RunFlags } from "./flags.ts";
import { readPhases } from "./imports.ts";

/** Checks a config and says what it is. An error says file, line and column. */
export async function validateConfig(file: string, flags: RunFlags): Promise<Outcome> {
  const phases = await readPhases(file, flags);
  const hashes = phases.map((phase) => configHash(phase));
  const what = phases.length === 1 ? "a config" : `a config of ${phases.length} phases`;
  return {
    code: 0,
    json: { valid: true, phases: phases.length, hashes },
    lines: [`${file}: ${what}, valid`, ...hashes],
  };
}

/** The effective config, defaults and flags included: one YAML document a phase. */
export async function showConfig(file: string, flags: RunFlags): Promise<Outcome> {
  const phases = await readPhases(file, flags);
  const texts = phases.map((config) => configToYaml(config).trimEnd());
  return { code: 0, json: { configs: phases.map((config) => toYamlForm(config)) }, lines: [texts.join("\n---\n")] };
}

/** Every value of a config under its path. */
function flatten(config: Config): Map<string, string> {
  const values = new Map<string, string>();
  const visit = (value: unknown, path: string) => {
    if (typeof value !== "object" || value === null || Object.keys(value).length === 0)
      values.set(path, oneLine(value));
    else
      for (const [key, item] of Object.entries(value))
        visit(item, Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`);
  };
  visit(toYamlForm(config), "");
  return values;
}

/** What two effective configs differ in, path by path. Exit code 1 when something differs. */
export async function diffConfigs(a: string, b: string, flags: RunFlags): Promise<Outcome> {
  const [first, second] = [await readPhases(a, flags), await readPhases(b, flags)];
  const rows: { path: string; a: string | null; b: string | null }[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    const [x, y] = [first, second].map((phases) => (phases[i] ? flatten(phases[i]) : new Map<string, string>()));
    const place = Math.max(first.length, second.length) > 1 ? `phase ${i + 1}: ` : "";
    for (const path of new Set([...x.keys(), ...y.keys()])) {
      const [left = null, right = null] = [x.get(path), y.get(path)];
      if (left !== right) rows.push({ path: place + path, a: left, b: right });
    }
  }
  const shown = rows.map(({ path, a: left, b: right }) => [path, left ?? "not there", right ?? "not there"]);
  return {
    code: rows.length > 0 ? 1 : 0,
    json: { equal: rows.length === 0, differences: rows },
    lines: rows.length > 0 ? table([["path", a, b], ...shown]) : ["the same config"],
  };
}
