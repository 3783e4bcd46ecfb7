// Between a Trainer and its checkpoints: what is saved is all that the next step depends on, and taking it over puts the trainer where it was.
import { exists } from "#files";
import { CheckpointError, ConfigError, refuse } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import { foreignWildcard, globFiles, wildcards } from "../io/glob.ts";
import { readSafetensors, type Safetensors } from "../io/safetensors.ts";
import { giveWeights, loadVariables, type Misfits } from "../nn/load.ts";
import { readVariables } from "../program/variable.ts";
import {
  bestCheckpoints,
  type Checkpoint,
  type CheckpointEntry,
  checkpointOf,
  checkState,
  holdsState,
  latestCheckpoint,
  listCheckpoints,
  type RunState,
  loadCheckpoint as readCheckpoint,
  saveCheckpoint as writeCheckpoint,
} from "../run/checkpoint.ts";
import { seedOfFolder } from "../run/manifest.ts";
import { loadAverages, loadCallbacks, saveCallbacks } from "./callbacks/state.ts";
import type { ResolvedSettings } from "./config/options.ts";
import type { TrainerView } from "./contract.ts";
import { modeOf } from "./numbers.ts";
import type { CheckpointChoice, Run } from "./run.ts";
import type { Origin, Session } from "./session.ts";

/** The folder of a trainer's checkpoints, or undefined where nothing is written. */
export function checkpointFolder({ options }: Pick<TrainerView, "options">): string | undefined {
  return options.modelDir === undefined ? undefined : `${options.modelDir}/checkpoints`;
}

/** Where a run stands, as a checkpoint of now would say. Throws CheckpointError where none is going on, or its step isn't done with. */
export function stateOf(
  { trainer, progress, graphs, journal, settled, columns, table }: Session,
  where: string,
): RunState {
  const { seed, stream, optimizer } = trainer;
  const { step, epoch, offset, cursor, loss, metrics } = progress;
  if (!journal) {
    throw new CheckpointError({
      where,
      problem: "no run is going on",
      hint: "call it in a hook, during fit; a fit writes the final checkpoint by itself",
    });
  }
  if (!settled) {
    throw new CheckpointError({
      where,
      problem:
        "the step isn't done with: what hooks, schedules and a validation do after it would be missing, and a run from there would be another",
      got: `step ${step}`,
      hint: "call it in onTrainBatchEnd",
    });
  }
  return {
    format: 1,
    numericsId,
    graphHash: graphs.train,
    seed: seed.toString(),
    step,
    position: stream.position,
    loader: { epoch, offset, cursor },
    chain: journal.chain.hash,
    loss,
    metrics,
    callbacks: saveCallbacks(trainer),
    ...(optimizer && optimizer.steps !== step && { optimizerSteps: optimizer.steps }),
    ...(columns && { columns }),
    ...(table && { table }),
  };
}

/** Writes a checkpoint of a run that is going on. `name`: its file's, without ending; by default from `checkpointName`. `entry`: what the index says of it. Returns the path. */
export async function saveCheckpoint(
  session: Session,
  name?: string,
  entry: Pick<CheckpointEntry, "metrics" | "best"> = {},
): Promise<string> {
  const { trainer, hooks } = session;
  const folder = checkpointFolder(trainer);
  session.occupancy.refuseEvaluating("saveCheckpoint");
  const state = stateOf(session, "saveCheckpoint");
  if (folder === undefined) {
    throw new ConfigError({ where: "saveCheckpoint", problem: "there is no folder to save to", got: "no modelDir" });
  }
  const { checkpointName = "checkpoint_{step}", keep } = trainer.options.checkpoint ?? {};
  const file = name ?? checkpointName.replace("{step}", String(state.step));
  const context = { trainer, step: state.step, path: `${folder}/${file}.safetensors` };
  await hooks.call("onSaveCheckpoint", context);
  const tensors = await readVariables([...trainer.variables(), ...trainer.callbackVariables()]);
  await hooks.call("postprocessCheckpoint", context);
  await hooks.call("flush");
  session.journal!.flush();
  const path = writeCheckpoint(folder, file, state, tensors, {
    keep: hooks.callbacks.find(({ keepCheckpoints }) => keepCheckpoints !== undefined)?.keepCheckpoints ?? keep,
    keepBest: session.keepBest,
    ...entry,
  });
  await hooks.call("onAfterSaveCheckpoint", context);
  return path;
}

/** The seed of a run in the folder that is to be resumed. */
export function adoptedSeed({ modelDir, checkpoint }: ResolvedSettings): bigint | undefined {
  if (modelDir === undefined || !(checkpoint?.autoloadLastCheckpoint ?? true)) return undefined;
  return seedOfFolder(modelDir);
}

/** The newest checkpoint of a folder, undefined for none. Throws CheckpointError where its file is gone, with the newest that is there. */
export function newestCheckpoint(folder: string): string | undefined {
  const newest = latestCheckpoint(folder);
  if (newest === undefined || exists(newest)) return newest;
  const there = listCheckpoints(folder)
    .filter(({ file }) => exists(`${folder}/${file}`))
    .at(-1);
  const none = "null (--ckpt none) for none";
  throw new CheckpointError({
    where: newest,
    problem: "the folder's newest checkpoint isn't there",
    expected: "the file that index.json names",
    hint: there
      ? `put it back; or give an earlier one, ckptPath (--ckpt) ${folder}/${there.file}, or ${none}`
      : `put it back; or give ckptPath: ${none}`,
  });
}

/** The best of the checkpoints that `checkpoint.keepBest` keeps; undefined where there is none. */
export function bestCheckpoint({ trainer, keepBest }: Session): Run["best"] {
  const given = trainer.options.checkpoint?.keepBest;
  const folder = checkpointFolder(trainer);
  const mode = keepBest?.mode ?? given?.mode ?? (given && modeOf(trainer.options, given.metric));
  if (!given || !mode || folder === undefined) return undefined;
  const { metric } = given;
  const [best] = bestCheckpoints(listCheckpoints(folder), { metric, mode, k: 1 });
  return best && { path: `${folder}/${best.file}`, step: best.step, metric, value: best.metrics![metric] };
}

/** The file that a choice of checkpoint means: undefined for none. Throws ConfigError for a path that leads nowhere, CheckpointError where there is no best or last one, ConfigError where nothing says which is the best. */
export function chosenCheckpoint(session: Session, { ckptPath }: CheckpointChoice): string | undefined {
  const { trainer } = session;
  if (ckptPath === null) return undefined;
  const folder = checkpointFolder(trainer);
  if (ckptPath === undefined) {
    const autoload = trainer.options.checkpoint?.autoloadLastCheckpoint ?? true;
    return folder !== undefined && autoload ? newestCheckpoint(folder) : undefined;
  }
  if (ckptPath === "best" && !trainer.options.checkpoint?.keepBest) {
    const problem = "nothing says which checkpoint is the best";
    refuse(ConfigError, "ckptPath", problem, "best", 'checkpoint: { keepBest: { metric: "…" } }, as the run had it');
  }
  const last = () => (folder === undefined ? undefined : newestCheckpoint(folder));
  const path = ckptPath === "best" ? bestCheckpoint(session)?.path : ckptPath === "last" ? last() : ckptPath;
  if (path !== undefined && exists(path)) return path;
  // A path is the caller's own; what best and last stand for is a matter of the folder.
  throw new (path === ckptPath ? ConfigError : CheckpointError)({
    where: path ?? `${folder ?? "no modelDir"}: ${ckptPath}`,
    problem: "there is no such checkpoint",
    hint: "leave ckptPath out for the latest in the run's folder, or null for none",
  });
}

/** The checkpoints that paths or a pattern name; left out: all in the trainer's folder. Throws ConfigError where what is given names none, CheckpointError where the folder holds none. */
export function checkpointPaths(trainer: TrainerView, given?: string | readonly string[]): string[] {
  const folder = checkpointFolder(trainer);
  const own = () => (folder === undefined ? [] : listCheckpoints(folder).map(({ file }) => `${folder}/${file}`));
  const paths = given === undefined ? own() : typeof given === "string" ? globFiles(given) : [...given];
  if (paths.length > 0) return paths;
  throw new (given === undefined ? CheckpointError : ConfigError)({
    where: "validateAll",
    problem: "there are no checkpoints",
    got: given === undefined ? (folder ?? "no modelDir") : String(given),
    hint: `give paths, or a pattern such as runs/a/checkpoints/*.safetensors${foreignWildcard(given) ? `; ${wildcards}` : ""}`,
  });
}

/** Throws CheckpointError where the weights of a finished run are asked for, and it kept none. */
export function refuseAbsent({ origin }: Session, where: string): void {
  if (origin?.method !== "fit") return;
  const problem = "the run in the folder is finished and has no checkpoint, so its weights are gone";
  const got = "the weights that the model begins with";
  const hint = "ckptPath names a file of weights; a run with checkpoint: {} in another folder (modelDir) keeps its own";
  refuse(CheckpointError, `${where}: ${origin.path}`, problem, got, undefined, hint);
}

/** Replaces the weights by those of a checkpoint, or of a file of weights alone (`ema.safetensors`), to look at them or, by `loadCheckpoint`, to go on from. */
export async function takeWeights(session: Session, path: string, method: Origin["method"]): Promise<void> {
  const file = readSafetensors(path);
  session.changes++;
  session.origin = { method, path };
  if (holdsState(file)) await loadCheckpoint(session, path, "weights", checkpointOf(path, file));
  else await loadWeights(session, path, file);
}

async function loadWeights(session: Session, path: string, { tensors, metadata }: Safetensors): Promise<void> {
  const { trainer, hooks, progress } = session;
  const { model, options } = trainer;
  const step = /^\d+$/.test(metadata.step ?? "") ? Number(metadata.step) : 0;
  await hooks.call("onBeforeLoadCheckpoint", { trainer, path });
  tellMisfits(trainer, path, giveWeights(model, path, tensors, { strict: options.checkpoint?.strict ?? true }));
  loadAverages(trainer, undefined);
  progress.step = step;
  await hooks.call("onLoadCheckpoint", { trainer, step, path });
}

function tellMisfits(trainer: TrainerView, path: string, { missing, unknown, different }: Misfits): void {
  const left = [...missing, ...unknown, ...different];
  if (left.length > 0)
    trainer.message("warn", `${path}: not all of it fits, and the rest stays as it is: ${left.join(", ")}`);
}

/** Takes a checkpoint over: weights and averages of them, optimizer state, and for training the place in stream and data. Throws CheckpointError where it isn't this run's. */
export async function loadCheckpoint(
  session: Session,
  path: string,
  use: "resume" | "weights",
  checkpoint: Checkpoint = readCheckpoint(path),
): Promise<Checkpoint> {
  const { trainer, hooks, progress, graphs } = session;
  const { stream, seed, optimizer, options } = trainer;
  await hooks.call("onBeforeLoadCheckpoint", { trainer, path });
  const { state, tensors } = checkpoint;
  const strict = use === "resume" || (options.checkpoint?.strict ?? true);
  const context = { trainer, step: state.step, path };
  await hooks.call("preprocessCheckpoint", context);
  if (use === "resume") checkState(checkpoint, { seed, graphHash: graphs.train });
  const variables = trainer.variables();
  // What callbacks keep is theirs to take; a Trainer that only validates needs no optimizer's state.
  const passed = optimizer ? /^callback\// : /^(callback|optimizer)\//;
  const own = new Map([...tensors].filter(([name]) => !passed.test(name)));
  tellMisfits(trainer, path, loadVariables(path, own, variables, { strict }));
  stream.seek(state.position);
  const { epoch, offset, cursor } = state.loader;
  Object.assign(progress, { step: state.step, epoch, offset, cursor, loss: state.loss, metrics: state.metrics });
  optimizer?.seek(state.optimizerSteps ?? state.step);
  if (use === "weights") {
    session.columns = state.columns ?? session.columns;
    session.table = state.table ?? session.table;
  }
  if (use === "resume") loadCallbacks(trainer, checkpoint);
  else loadAverages(trainer, checkpoint);
  await hooks.call("onLoadCheckpoint", context);
  return checkpoint;
}

/** Throws CheckpointError where a tensor of training isn't what a checkpoint has, since it was changed after `loadCheckpoint`: what goes on from there would be no run's. */
export async function checkUnchanged(trainer: TrainerView, path: string): Promise<void> {
  const { tensors } = readCheckpoint(path);
  for (const [name, { data }] of await readVariables(trainer.variables())) {
    const saved = tensors.get(name)?.data;
    if (!saved || data.every((value, i) => Object.is(value, saved[i]))) continue;
    throw new CheckpointError({
      where: path,
      problem: `${name} was changed after loadCheckpoint`,
      hint: "a run that begins with weights of one's own has them made in its model callable: model: () => nn.load(build(), file)",
    });
  }
}

/** Takes over the weights of the chosen checkpoint. */
export async function takeChosen(
  session: Session,
  method: "validate" | "test" | "predict",
  choice: CheckpointChoice,
): Promise<void> {
  await session.trainer.initialize();
  if (choice.ckptPath === undefined && session.origin?.method === "finalWeights") return;
  const path = chosenCheckpoint(session, choice);
  if (path === undefined) refuseAbsent(session, method);
  else await takeWeights(session, path, method);
}

/** Gives the Trainer the weights that a callback wants it to have when a fit is over; averages of those before begin anew. */
export async function takeFinalWeights(session: Session): Promise<void> {
  const { trainer } = session;
  for (const [path, callback] of trainer.callbacks) {
    const weights = await callback.finalWeights?.();
    if (!weights) continue;
    for (const [variable, data] of weights) variable.load(data);
    loadAverages(trainer, undefined);
    session.origin = { method: "finalWeights", path };
  }
}
