// `seedgrad list [FAMILY [NAME]]`: what a config may name, and what each takes.
import { unknownKey } from "../core/keys.ts";
import type { EntryOption } from "../train/config/catalog.ts";
import { families as catalogs } from "../train/config/families.ts";
import { toSnake } from "../train/config/form.ts";
import { type Outcome, oneLine, tableWhole } from "./command.ts";
import type { RunFlags } from "./flags.ts";
import { importPrograms } from "./imports.ts";

/** A family of things, of several. */
export const plural = (family: string) => (family === "loss" ? "losses" : `${family}s`);

/** The value under a name of any case. Throws ConfigError, with the nearest name there is. */
function chosen<T>(where: string, named: ReadonlyMap<string, T>, name: string): T {
  for (const [known, value] of named) if (known.toLowerCase() === name.toLowerCase()) return value;
  throw unknownKey(where, name, [...named.keys()], { problem: "unknown name" });
}

const shown = (fallback: unknown) => (fallback === undefined ? "" : oneLine(fallback));
/** `name = default`, or `name*` where it must be given. */
const inShort = ({ key, required, fallback }: EntryOption) =>
  `${toSnake(key)}${required ? "*" : ""}${fallback === undefined ? "" : ` = ${shown(fallback)}`}`;

/** All families with their names; one family's things with their options; or one thing's options, each with type, default and meaning. */
export async function list(
  family: string | undefined,
  name: string | undefined,
  { import: imports = [] }: RunFlags,
): Promise<Outcome> {
  await importPrograms(imports);
  const families = new Map(Object.entries(catalogs).map(([of, catalog]) => [plural(of), catalog]));
  if (family === undefined) {
    const names = [...families].map(([of, catalog]) => [of, catalog.names] as const);
    return {
      code: 0,
      json: Object.fromEntries(names),
      lines: names.map(([of, known]) => `${of}: ${known.join(", ")}`),
    };
  }
  const singular = Object.keys(catalogs).find((of) => of === family.toLowerCase());
  const of = singular ? plural(singular) : family.toLowerCase();
  const entries = chosen("list", families, of).describe();
  if (name === undefined) {
    const rows = entries.map(({ name, options }) => [
      name,
      [...options.filter(({ required }) => required), ...options.filter(({ required }) => !required)]
        .map(inShort)
        .join(", "),
    ]);
    return { code: 0, json: { [of]: entries }, lines: tableWhole([["name", "options (*: required)"], ...rows]) };
  }
  const entry = chosen(`list ${of}`, new Map(entries.map((each) => [each.name, each])), name);
  const rows = entry.options.map(({ key, type, required, fallback, text = "" }) => [
    toSnake(key),
    type,
    required ? "required" : shown(fallback),
    text,
  ]);
  const lines = rows.length > 0 ? tableWhole([["key", "type", "default", "meaning"], ...rows]) : ["no options"];
  return { code: 0, json: entry as never, lines: [...(entry.text ? [entry.text] : []), ...lines] };
}
