// A run's checkpoint held against the replay at its step: every tensor by its hash, every field of the state, and what the index says of it.

import { exists } from "#files";
import { toHex } from "../core/canonical.ts";
import { CheckpointError } from "../core/errors.ts";
import { tensorDigest } from "../io/state.ts";
import { readVariables } from "../program/variable.ts";
import { type Checkpoint, type CheckpointEntry, isOfRun, loadCheckpoint } from "../run/checkpoint.ts";
import type { TrainerView } from "../train/contract.ts";
import type { Metrics } from "../train/run.ts";
import { type Checks, recordDifferences } from "./checks.ts";

/** What the replay knows of validations when it comes to a checkpoint. */
export interface Validated {
  /** Of the step itself; undefined where the replay made none. */
  readonly here?: Metrics;
  /** All so far. */
  readonly all: readonly Metrics[];
}

/** Compares a checkpoint's file with the trainer as it is now, at that step. */
export async function compareCheckpoint(
  trainer: TrainerView,
  { path, entry }: { readonly path: string; readonly entry: CheckpointEntry },
  validated: Validated,
  checks: Checks,
): Promise<void> {
  const what = `checkpoints/${entry.file}`;
  if (!exists(path)) {
    checks.compared(what, ["index.json names it, and it isn't there"]);
    return;
  }
  const checkpoint = readOr(path, (problem) => checks.compared(what, [problem]));
  if (!checkpoint) return;
  const own = trainer.runState();
  const { callbacks = {}, metrics, ...state } = checkpoint.state;
  const { callbacks: ownCallbacks = {}, metrics: _, ...ownState } = own;
  const differences = [
    ...recordDifferences(flat(state), flat(ownState)),
    ...(await tensorDifferences(trainer, checkpoint)),
    ...callbackDifferences(trainer, callbacks, ownCallbacks),
  ];
  checks.compared(what, differences, `${checkpoint.tensors.size} tensors and the state`);
  compareMetrics(what, entry.metrics, metrics, validated, checks);
  const passed = [
    ...[...checkpoint.tensors.keys()].filter((name) => !isOfRun([name, 0]) && !isReplayed(trainer, name.split("/")[1])),
    ...Object.keys(callbacks).filter((name) => !isReplayed(trainer, name)),
  ];
  if (passed.length > 0) checks.trusted(what, `of callbacks that the replay leaves out: ${passed.join(", ")}`);
}

function readOr(path: string, differs: (problem: string) => void): Checkpoint | undefined {
  try {
    return loadCheckpoint(path);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    differs(`${error.problem}${error.got === undefined ? "" : `: ${error.got}`}`);
    return undefined;
  }
}

const flat = ({ loader, ...state }: Omit<Checkpoint["state"], "metrics" | "callbacks">): Record<string, unknown> => ({
  ...state,
  epoch: loader.epoch,
  offset: loader.offset ?? "none",
  cursor: loader.cursor,
});

/** Whether a callback of this name is in the replay, and says that training, validation or the run's end depend on it. */
function isReplayed({ callbacks }: TrainerView, name: string): boolean {
  const { changesTraining, changesValidation, endsRun } = callbacks.get(name) ?? {};
  return (changesTraining || changesValidation || endsRun) === true;
}

function callbackDifferences(
  trainer: TrainerView,
  recorded: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, unknown>>,
): string[] {
  const names = Object.keys(own).filter((name) => isReplayed(trainer, name));
  const text = (states: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(names.map((name) => [`callback ${name}`, JSON.stringify(states[name])]));
  return recordDifferences(text(recorded), text(own));
}

async function tensorDifferences(trainer: TrainerView, { tensors }: Checkpoint): Promise<string[]> {
  const replayed = new Map(await readVariables([...trainer.variables(), ...trainer.callbackVariables()]));
  const compared = (name: string) => isOfRun([name, 0]) || isReplayed(trainer, name.split("/")[1]);
  const names = new Set([...replayed.keys(), ...tensors.keys()].filter(compared));
  return [...names].flatMap((name) => {
    const [there, here] = [tensors.get(name), replayed.get(name)];
    if (!there) return [`${name} isn't in it`];
    if (!here) return [`${name} is in it, and isn't the program's`];
    const [a, b] = [there, here].map((array) => toHex(tensorDigest(name, array)));
    return a === b ? [] : [`${name} is ${b.slice(0, 16)}, recorded ${a.slice(0, 16)}`];
  });
}

/** Validated numbers: those that the index has of the step, and those that the state has of the last validation before. */
function compareMetrics(
  what: string,
  indexed: Metrics | undefined,
  stated: Metrics,
  { here, all }: Validated,
  checks: Checks,
): void {
  const name = `metrics of ${what}`;
  if (indexed) checks.compared(`${name}: state and index.json`, recordDifferences(stated, indexed));
  if (indexed && here) compareIndexed(`${name}: index.json`, indexed, here, checks);
  const known = [...all, {}].some((metrics) => recordDifferences(stated, metrics).length === 0);
  if (known || (indexed && here)) return;
  checks.trusted(name, all.length > 0 ? "of no validation that the replay made" : "not checked: no validation data");
}

/** Metrics are no part of a run, which may go on with others: numbers that one side alone has are named, and the others compared. */
function compareIndexed(what: string, indexed: Metrics, here: Metrics, checks: Checks): void {
  const among = (metrics: Metrics, others: Metrics) =>
    Object.fromEntries(Object.entries(metrics).filter(([name]) => Object.hasOwn(others, name)));
  checks.compared(what, recordDifferences(among(indexed, here), among(here, indexed)));
  const unrecorded = Object.keys(here).filter((name) => !Object.hasOwn(indexed, name));
  const unknown = Object.keys(indexed).filter((name) => !Object.hasOwn(here, name));
  if (unrecorded.length > 0) checks.trusted(what, `not recorded there: ${unrecorded.join(", ")}`);
  if (unknown.length > 0) checks.trusted(what, `not among the program's metrics: ${unknown.join(", ")}`);
}
