// `seedgrad diff A B`: why two runs, two configs, or a run and a config differ.
import { checkBackendName, type Threads } from "../backend/load.ts";
import { ConfigError } from "../core/errors.ts";
import { type Diff, diffRuns } from "../verify/diff.ts";
import { showDiff, showNode } from "../verify/show.ts";
import type { Outcome } from "./command.ts";
import type { ImportFlags } from "./flags.ts";
import { configOf, importFor } from "./imports.ts";

/** The flags of `diff`. */
export interface DiffFlags extends ImportFlags {
  readonly backend?: string;
  readonly threads?: Threads;
  readonly steps?: number;
  readonly json?: boolean;
}

/** Compares. Exit code 1 when something differs. */
export async function diff(first: string, second: string, flags: DiffFlags): Promise<Outcome> {
  const { backend, threads, steps } = flags;
  const backends = backendsOf(backend);
  const wanted = [first, second].flatMap((path) => {
    const file = configOf(path);
    return file === undefined ? [] : [{ file, folder: file === path ? undefined : path }];
  });
  const importAll = async (files: typeof wanted) => {
    for (const { file, folder } of files) await importFor(file, flags, folder);
  };
  // A run whose chain says all there is to say needs no program of its own.
  await importAll(wanted.filter(({ folder }) => folder === undefined));
  const prepare = () => importAll(wanted.filter(({ folder }) => folder !== undefined));
  const found = await diffRuns(first, second, { backends, threads, steps, prepare });
  return { code: found.equal ? 0 : 1, json: diffJson(found), lines: showDiff(found) };
}

/** One backend for both sides, or one for each: `wasm`, `reference,wasm`. */
function backendsOf(text: string | undefined): [string | undefined, string | undefined] {
  if (text === undefined) return [undefined, undefined];
  const names = text.split(",");
  if (names.length > 2 || names.includes("")) {
    throw new ConfigError({
      where: "--backend",
      problem: "not one backend or two",
      got: text,
      expected: "wasm, or reference,wasm",
    });
  }
  for (const name of names) checkBackendName(name);
  return [names[0], names[names.length - 1]];
}

/** A comparison as `--json` gives it. */
export function diffJson({ graph, ...rest }: Diff): Record<string, unknown> {
  return {
    ...rest,
    graph: graph.map((difference) => ({ kind: difference.kind, what: difference.what, shown: showNode(difference) })),
  };
}
