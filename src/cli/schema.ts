// `seedgrad schema`: the JSON Schema of configs, for editors.
import { configJsonSchema } from "../train/config/json-schema.ts";
import type { Outcome } from "./command.ts";

/** Prints the schema; with `--json`, on one line. */
export async function schema({ json }: { readonly json?: boolean }): Promise<Outcome> {
  const made = configJsonSchema();
  return { code: 0, json: made, lines: json ? [] : [JSON.stringify(made, null, 2)] };
}
