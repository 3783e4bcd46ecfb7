// `seedgrad verify --op STEP:NODE`: one op of a step proved from a run's folder, or judged from a proof alone; and the list of a step's values.
import { existsSync, readFileSync, statSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import type { Threads } from "../backend/load.ts";
import { ConfigError, DataError } from "../core/errors.ts";
import { verifyOpProof } from "../verify/judgeop.ts";
import { readProof, writeProof } from "../verify/opproof.ts";
import { proveOp, stepValues, type ValueChoice } from "../verify/prove.ts";
import { rebuildFromConfig } from "../verify/verify.ts";
import { showChecks } from "./checks.ts";
import { type Outcome, table, writeOutput } from "./command.ts";
import type { ImportFlags } from "./flags.ts";
import { configOf, importFor } from "./imports.ts";

/** A step, and one of its values. */
export interface OpChoice {
  readonly step: number;
  readonly value?: ValueChoice;
}

/** The flags of `verify` that hold for one op too. */
export interface OpFlags extends ImportFlags {
  readonly op?: OpChoice;
  readonly output?: string;
  readonly against?: string;
  readonly data?: string;
  readonly backend?: string;
  readonly threads?: Threads;
}

/** `5`, `5:17`, `5:parameter/0.weight`. */
export function parseOp(text: string): OpChoice {
  const [, step, value] = /^([1-9]\d{0,14})(?::(.+))?$/s.exec(text) ?? [];
  if (step === undefined)
    throw new InvalidArgumentError("expected a step from 1, or STEP:NODE, with a value's number or an output's name");
  const isNumber = value !== undefined && /^\d{1,15}$/.test(value);
  return { step: Number(step), ...(value !== undefined && { value: isNumber ? Number(value) : value }) };
}

/** Whether a path is a proof's file, and no config or folder. */
export function isProof(path: string): boolean {
  return /\.json$/i.test(path) && existsSync(path) && statSync(path).isFile();
}

/** Proves an op of a run and judges the proof, or judges a proof that is there; without an op lists the step's values. Exit code 1 where something is wrong. */
export async function verifyOp(
  what: string,
  flags: OpFlags & { from?: number; steps?: number; share?: number; attest?: string },
): Promise<Outcome> {
  const { op, output, against, data, backend, threads } = flags;
  const other = (["from", "steps", "share", "attest"] as const).find((flag) => flags[flag] !== undefined);
  if (other) refuseOption(`--${other}`, "one op is of one step", "--op STEP:NODE alone");
  if (isProof(what)) {
    const given = { output, data, backend, threads };
    const named = (["output", "data", "backend", "threads"] as const).find((flag) => given[flag] !== undefined);
    if (named) refuseOption(`--${named}`, `${what} is a proof: it is judged as it is`, "a run's folder");
    if (typeof op?.value === "string")
      refuseOption("--op", `${what} is a proof: it names its value by number`, "STEP:NUMBER");
    return judged(what, readFileSync(what, "utf8"), op, against);
  }
  const config = configOf(what);
  if (config === what) refuseOption(what, "a config has no steps to prove", "a run's folder, or the proof of an op");
  if (config !== undefined) await importFor(config, flags, what);
  const rebuild = data === undefined ? undefined : rebuildFromConfig(what, data);
  const { step, value } = op!;
  const options = { backend, threads, rebuild };
  if (value === undefined) return listed(await stepValues(what, step, options), output);
  const text = writeProof(await proveOp(what, step, value, options));
  if (output !== undefined) writeOutput("--output", output, text);
  return judged(output ?? `${what}, op ${step}:${value}`, text, op, against);
}

function refuseOption(where: string, problem: string, expected: string): never {
  throw new ConfigError({ where, problem, expected });
}

function judged(where: string, text: string, op: OpChoice | undefined, against: string | undefined): Outcome {
  const proof = readProof(where, text);
  const { step, result } = proof;
  const asked = typeof op?.value === "number" ? op.value : result.value;
  if (op && (op.step !== step || asked !== result.value)) {
    throw new DataError({
      where,
      problem: "the proof of another op",
      got: `${step}:${result.value}`,
      expected: `${op.step}:${asked}`,
    });
  }
  const found = verifyOpProof(proof, { where, against });
  const { equal, difference, graphHash, link, root, commitment, before, after } = found;
  const what = found.op ?? "an op of a graph that isn't what its hash says";
  const lines = [
    equal ? `right: step ${step}, value ${result.value}: ${what}` : `WRONG: ${difference}`,
    ...table([
      ["graph", graphHash],
      ["link", link],
      ["root", root],
      ["commitment", commitment],
      ...(before === undefined ? [] : [["digest before the step", before]]),
      ...(after === undefined ? [] : [["digest after the step", after]]),
    ]),
    ...showChecks(found.checks),
  ];
  return { code: equal ? 0 : 1, json: { ...found }, lines };
}

function listed(found: Awaited<ReturnType<typeof stepValues>>, output: string | undefined): Outcome {
  const { values, graphHash, link, root, commitment } = found;
  if (output !== undefined) writeOutput("--output", output, `${JSON.stringify(found)}\n`);
  const rows = values.map(({ value, what, names, sha256 }) => [
    String(value),
    what,
    names.join(", "),
    sha256.slice(0, 16),
  ]);
  return {
    code: 0,
    json: { ...found },
    lines: [
      ...table([
        ["graph", graphHash],
        ["link", link],
        ["root", root],
        ["commitment", commitment],
      ]),
      "",
      ...table([["value", "what", "given out as", "SHA-256"], ...rows]),
    ],
  };
}
