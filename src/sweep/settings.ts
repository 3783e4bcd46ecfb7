// In what runs differ that were given: the leaves of their resolved configs, or, of runs made in code, the numbers of their optimizers, schedules and loaders.
import type { Setting } from "../report/results.ts";
import { compareFacts } from "../run/facts.ts";
import type { Manifest } from "../run/manifest.ts";

/** The seed is no setting: runs that differ in nothing else are one group. */
const seedKey = "trainer.init.seed";

/** The settings of each run by path, those alone in which at least two differ; what no bit depends on is none. */
export function differingSettings(manifests: readonly Manifest[]): Record<string, Setting>[] {
  const [first, ...others] = manifests;
  // A key may be named as what all objects have.
  const found: Record<string, Setting>[] = manifests.map(() => Object.create(null));
  if (!first) return found;
  const kind = manifests.every(({ config }) => config) ? "config" : "numbers";
  const parsed = kind === "config" ? configValue : numberValue;
  const names = new Map<string, string>();
  const all = others.map((other) => compareFacts(first, other, [kind]).filter(({ matters }) => matters));
  for (const differences of all)
    for (const { name, first: text } of differences) if (name !== seedKey) names.set(name, text);
  const set = (i: number, name: string, text: string) => {
    if (text !== "none") found[i][name] = parsed(text);
  };
  for (const [name, text] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
    set(0, name, text);
    all.forEach((differences, i) => {
      set(i + 1, name, differences.find((each) => each.name === name)?.second ?? text);
    });
  }
  return found;
}

/** A leaf is JSON; an integer that no number holds stays text, and so do digits that are none. */
function configValue(text: string): Setting {
  if (/^0\d/.test(text)) return text;
  const value = JSON.parse(text) as Setting;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
}

/** `0.01 (3c23d70a)` → 0.01. */
function numberValue(text: string): Setting {
  const value = text.replace(/ \([0-9a-f]{8}\)$/, "");
  return Number.isFinite(Number(value)) ? Number(value) : value;
}

/** Any value of YAML as a setting: an integer that JSON can't hold as its digits. */
export function settingOf(value: unknown): Setting {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (Array.isArray(value)) return value.map(settingOf);
  if (typeof value !== "object" || value === null) return (value ?? null) as Setting;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, settingOf(item)]));
}
