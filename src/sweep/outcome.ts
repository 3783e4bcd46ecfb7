// One run as its folder tells of it: how it stands, and every number that it left, each with its steps.
import { exists } from "#files";
import { float32FromBits } from "../core/canonical.ts";
import { remembered } from "../core/remembered.ts";
import type { Mode } from "../optim/monitored.ts";
import { isConfusionCell } from "../report/heatmap.ts";
import type { RunState } from "../report/results.ts";
import type { ChainLink } from "../run/chain.ts";
import { isRecord, isText } from "../run/fields.ts";
import type { History } from "../run/history.ts";
import { mayBeHeld } from "../run/lock.ts";
import { readLogged } from "../run/logged.ts";
import { type Manifest, readManifest } from "../run/manifest.ts";
import { readLinks, requireRun } from "../verify/folder.ts";

/** A run's folder, read. */
export interface Outcome {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly state: RunState;
  readonly steps: number;
  /** As they are logged: `loss` of training at every step, `val_loss`, `val_accuracy`; without the counts of confusion matrices. */
  readonly numbers: History;
  /** Whether a loop of one's own recorded it: none of its numbers is a validation's. */
  readonly recorded: boolean;
  /** What the run itself goes by. */
  readonly monitor?: { readonly metric: string; readonly mode?: Mode };
  /** What is missing or damaged of its log. */
  readonly notes: readonly string[];
}

/** Reads a run's folder. Throws ConfigError for a path that is none, CheckpointError for one that is damaged. */
export function readOutcome(folder: string): Outcome {
  requireRun(folder);
  const manifest = readManifest(`${folder}/manifest.json`);
  const links = readLinks(folder, manifest);
  const { file, history, damaged } = readLogged(folder);
  const { result } = manifest;
  const steps = result?.steps ?? links.length;
  // A loop of one's own writes no config: its numbers are in the chain, and none of them is a validation's.
  const recorded = !exists(`${folder}/config.yaml`) && !exists(`${folder}/config.json`);
  const logged = Object.entries(history).filter(([name, { steps: own }]) => !isConfusionCell(name) && own.length > 0);
  const numbers = new Map<string, History[string]>([...logged, ...chainNumbers(links)]);
  for (const [name, value] of Object.entries(result?.metrics ?? {})) {
    const number = recorded ? name : `val_${name}`;
    if (isConfusionCell(number)) continue;
    const { steps: before, values } = numbers.get(number) ?? { steps: [], values: [] };
    if (before.length === 0) numbers.set(number, { steps: [steps], values: [value] });
    // The chain has the number as float32, the manifest as it was recorded.
    else if (recorded) numbers.set(number, { steps: before, values: [...values.slice(0, -1), value] });
  }
  const notes = [
    ...(damaged > 0 ? [`${folder}/${file}: ${damaged} damaged line${damaged === 1 ? "" : "s"} left out`] : []),
    ...(file === undefined && !recorded
      ? [`${folder}: it has neither metrics.csv nor metrics.jsonl, so of its validations only the last is known`]
      : []),
  ];
  return {
    folder,
    manifest,
    state: stateOf(folder, manifest),
    steps,
    numbers: Object.fromEntries(numbers),
    recorded,
    monitor: monitorOf(manifest),
    notes,
  };
}

function stateOf(folder: string, { status }: Manifest): RunState {
  if (status === "running") return mayBeHeld(folder) ? "running" : "stopped";
  return status === "interrupted" ? "stopped" : status;
}

/** What the chain has of each step: the training loss, and what a loop of one's own recorded beside it. */
function chainNumbers(links: readonly ChainLink[]): ReadonlyMap<string, History[string]> {
  const found = new Map<string, { steps: number[]; values: number[] }>();
  const add = (name: string, step: number, bits: number) => {
    const { steps, values } = remembered(found, name, () => ({ steps: [], values: [] }));
    steps.push(step);
    values.push(float32FromBits(bits));
  };
  for (const { step, lossBits, numbers } of links) {
    add("loss", step, lossBits);
    for (const [name, bits] of Object.entries(numbers))
      if (name.startsWith("record/")) add(name.slice("record/".length), step, bits);
  }
  return found;
}

/** What a config has its run go by: the checkpoints that are kept as the best, or else an early end. */
function monitorOf({ config }: Manifest): Outcome["monitor"] {
  const trainer = isRecord(config) && isRecord(config.trainer) ? config.trainer : {};
  const init = isRecord(trainer.init) ? trainer.init : {};
  const { checkpoint, callbacks } = init;
  const stopping = (Array.isArray(callbacks) ? callbacks : []).find(
    (choice) => isRecord(choice) && isRecord(choice.EarlyStopping),
  );
  const found = [isRecord(checkpoint) ? checkpoint.keep_best : undefined, stopping?.EarlyStopping].find(isRecord);
  if (!found || !isText(found.metric)) return undefined;
  const { metric, mode } = found;
  return { metric, ...((mode === "min" || mode === "max") && { mode }) };
}
