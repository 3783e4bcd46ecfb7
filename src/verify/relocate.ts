// A config whose data lie elsewhere: a run that somebody else made names the files of their machine.
import { exists } from "#files";
import { DataError } from "../core/errors.ts";
import { type Form, Option } from "../core/options.ts";
import type { Choice } from "../train/config/catalog.ts";
import { loaders } from "../train/config/families.ts";
import type { Config } from "../train/config/schema.ts";

/**
 * The config with each file and folder of its loaders looked for in `folder`, by as much of the end of its path as is there: `/home/a/data/train/x.csv` is `folder/train/x.csv`, or `folder/x.csv`.
 * Throws DataError for one that isn't there. What the data are is the digests' to say.
 */
export function withData(config: Config, folder: string): Config {
  const { init, ...uses } = config.trainer;
  const one = (choice: Choice<"name">) => relocated(choice, folder);
  const isLoader = ([key]: [string, unknown]) => /Dataloaders?$/.test(key);
  const moved = Object.entries(uses).map(([use, given]) => {
    const loaders = Object.entries(given ?? {})
      .filter(isLoader)
      .map(([key, value]) => [key, Array.isArray(value) ? value.map(one) : value && one(value)]);
    return [use, given && { ...given, ...Object.fromEntries(loaders) }];
  });
  return { ...config, trainer: { init, ...Object.fromEntries(moved) } };
}

function relocated(choice: Choice<"name">, folder: string): Choice<"name"> {
  const fields = loaders.recordOf(choice.name)?.fields ?? {};
  const paths = Object.entries(fields).flatMap(([key, field]) => {
    const kind = placeKind((field instanceof Option ? field.type : field).form);
    const path = choice[key];
    return kind !== undefined && typeof path === "string"
      ? [[key, found(`${choice.name}.${key}`, path, folder, kind)] as const]
      : [];
  });
  return { ...choice, ...Object.fromEntries(paths) };
}

function placeKind(form: Form): "file" | "folder" | undefined {
  if (form.kind === "text") return form.path;
  return form.kind === "either" ? form.types.map((type) => placeKind(type.form)).find((kind) => kind) : undefined;
}

function found(where: string, path: string, folder: string, kind: "file" | "folder"): string {
  const parts = path.split(/[\\/]+/).filter((part) => part !== "" && part !== "." && part !== "..");
  const tried = parts.map((_, i) => `${folder}/${parts.slice(i).join("/")}`);
  const there = [...tried, ...(kind === "folder" ? [folder] : [])].find((candidate) => exists(candidate));
  if (there !== undefined) return there;
  throw new DataError({ where, problem: `it isn't in the folder of data`, got: path, expected: tried.join(", or ") });
}
