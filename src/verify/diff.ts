// Why two runs differ: first what they were given, then the first step at which their chains part, then that step run again on both sides, op by
// op. Chains that agree prove all they hold, so that nothing is run again then. Runs are folders; a config, or a program in code, is run as far as it takes.

import { backendKind, backendNames, loadBackend, type Threads, threadsKind } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import {
  callable,
  checkArguments,
  type Kind,
  kind,
  number,
  options as optionsOf,
  signature,
  string,
} from "../core/arguments.ts";
import { toHex } from "../core/canonical.ts";
import { SeedgradError } from "../core/errors.ts";
import { type ChainDifference, compareChains, firstShown } from "../run/compare.ts";
import { compareFacts, deciding, type FactDifference, type KindDifference } from "../run/facts.ts";
import { readManifest } from "../run/manifest.ts";
import type { Rebuild } from "../train/replay.ts";
import { type Agreement, chainsAgree, firstSteps, oneGoesOn } from "./agree.ts";
import { isNaNBits } from "./bits.ts";
import type { Cause } from "./causes.ts";
import { compareGraphs, type NodeDifference } from "./graphs.ts";
import type { OpDifference } from "./input.ts";
import { type Lockstep, type Program, runLockstep } from "./lockstep.ts";
import { firstDifference } from "./op.ts";
import { changesOf } from "./replay.ts";
import { commonCheckpoint, openSide, programSide, type Side, type SideOptions, strayed, trainGraph } from "./side.ts";
import { rebuildFromConfig } from "./verify.ts";

/** How two sides compare. */
export interface Diff extends Agreement {
  readonly names: readonly [string, string];
  readonly facts: readonly FactDifference[];
  /** Where the training graphs differ beside the seed, node by node. */
  readonly graph: readonly NodeDifference[];
  /** Where the recorded chains part. */
  readonly chain?: ChainDifference;
  /** Where the replays part: 0 is what gives the variables their first values. */
  readonly step?: number;
  /** Which of its run's graphs that step is of, by side: `train`; where optimizers take turns `train/0`, too. */
  readonly roles?: readonly [string, string];
  readonly op?: OpDifference;
  readonly cause?: Cause;
  /** What else there is to say: what couldn't be replayed, and why. */
  readonly notes: readonly string[];
}

export interface DiffOptions {
  /** For each side, where it is replayed: its own backend unless given. */
  readonly backends?: readonly [string | Backend | undefined, string | Backend | undefined];
  readonly threads?: Threads;
  /** How runs made in code are made again, by side. */
  readonly rebuild?: readonly [Rebuild | undefined, Rebuild | undefined];
  /** Compares the first so many steps alone. */
  readonly steps?: number;
  /** Called before runs are made again, if they are: imports what their configs name. */
  readonly prepare?: () => Promise<void>;
}

const pairOf = (each: Kind) =>
  kind(
    `a pair for the two sides, each ${each.expected} or undefined`,
    (value) =>
      Array.isArray(value) && value.length <= 2 && value.every((one) => one === undefined || each.accepts(one)),
  );
const runsCall = signature("diffRuns", {
  first: string,
  second: string,
  "options?": optionsOf<DiffOptions>({
    "backends?": pairOf(backendKind),
    "threads?": threadsKind,
    "rebuild?": pairOf(callable),
    "steps?": number,
    "prepare?": callable,
  }),
});
const replayCall = signature("diffReplay", {
  folder: string,
  "options?": optionsOf<SideOptions & { recordedOn?: string | Backend }>({
    "backend?": backendKind,
    "threads?": threadsKind,
    "rebuild?": callable,
    "recordedOn?": backendKind,
  }),
});

/** Compares two runs' folders, two configs, or one of each. Throws ConfigError for a path that is neither, CheckpointError for a folder that is damaged. */
export async function diffRuns(first: string, second: string, options: DiffOptions = {}): Promise<Diff> {
  checkArguments(runsCall, arguments);
  const { backends = [], rebuild = [], threads } = options;
  const given = (side: 0 | 1): SideOptions => ({ backend: backends[side], rebuild: rebuild[side], threads });
  return diffSides(await openSide(first, given(0)), await openSide(second, given(1)), options);
}

/** Compares a run with its own program, run here: what `verify` found to differ, explained. */
export async function diffReplay(
  folder: string,
  options: SideOptions & { readonly recordedOn?: string | Backend } = {},
): Promise<Diff> {
  checkArguments(replayCall, arguments);
  const { backend, threads, rebuild = rebuildFromConfig(folder), recordedOn } = options;
  const manifest = readManifest(`${folder}/manifest.json`);
  const own = String(manifest.environment.backend);
  const here = backend ?? own;
  const nameOf = (of: string | Backend) => (typeof of === "string" ? of : of.name);
  const other = recordedOn ?? (backendNames.includes(own) && own !== nameOf(here) ? own : "reference");
  const recorded = await openSide(folder, { backend: other, rebuild });
  const changes = { ...changesOf(manifest), ...(threads !== undefined && { threads }) };
  const replay = await programSide(`replay on ${nameOf(here)}`, rebuild, { backend: here, changes, folder });
  return diffSides(recorded, replay, {});
}

async function diffSides(a: Side, b: Side, { steps: most, prepare }: DiffOptions): Promise<Diff> {
  const given = factDifferences(a, b);
  const facts = given.map(({ kind: _, name: __, ...told }): FactDifference => told);
  const matters = facts.filter((fact) => fact.matters);
  const names = [a.name, b.name] as const;
  const agreed = (agreement: Agreement, note: string | undefined, chain?: ChainDifference): Diff => {
    const notes = note === undefined ? [] : [note];
    return { names, ...agreement, facts, graph: [], ...(chain && { chain }), notes };
  };
  const bothRan = a.links !== undefined && b.links !== undefined;
  const chain = bothRan ? compareChains(a.links, b.links) : undefined;
  // What a chain begins with can't differ where its links agree: a manifest that says so isn't believed.
  const agreement = bothRan && !given.some(beginsWith) ? chainsAgree(a, b, most) : undefined;
  if (agreement) return agreed(agreement, matters.length > 0 ? nothingShows : undefined, chain);
  const replayed = a.folder !== undefined && a.folder === b.folder;
  if (!bothRan && !replayed && matters.length === 0)
    return agreed({ equal: true }, "the same program: the same seed, numbers, data and graph");
  const found = await replay([a, b], partingStep([a, b], given, chain), most, prepare);
  const again = !bothRan && !replayed ? replaysAgree([a, b], found, most) : undefined;
  if (again) return agreed(again, nothingShows);
  const graph = await graphDifferences(a, b);
  const notes = [...found.notes];
  const cause = found.cause ?? found.op?.cause ?? causeOfChain([a, b], matters, chain, found, notes);
  const { step, roles, op } = found;
  return { names, equal: false, facts, graph, chain, step, roles, op, cause, notes };
}

const nothingShows = "of what differs in what they were given, nothing shows in these steps";

/** The first step at which recorded links show a difference; undefined where none does. Chains that began with other data differ from their first link on, whatever it holds. */
function partingStep(
  [a, b]: readonly [Side, Side],
  given: readonly KindDifference[],
  chain: ChainDifference | undefined,
): number | undefined {
  if (!chain || chain.kind === "length") return undefined;
  const otherOrigin = chain.kind === "origin" && given.some(beginsWith);
  return otherOrigin ? firstShown(a.links!, b.links!) : chain.step;
}

/** Facts that a chain begins with. */
const beginsWith = ({ kind }: KindDifference): boolean => (deciding.digest as readonly string[]).includes(kind);

/** The agreement of two sides, at least one of which had to be run: all links that were made are the same, and those that one recorded too. */
function replaysAgree([a, b]: readonly [Side, Side], { lockstep }: Replayed, most?: number): Agreement | undefined {
  if (!lockstep || lockstep.divergence) return undefined;
  const { steps, ended } = lockstep;
  const made = [...lockstep.links, ...[a, b].flatMap(({ links }) => (links ? [links] : []))];
  const last = made.map((links) => links.find(({ step }) => step === steps)).map((link) => link && toHex(link.hash));
  if (last.some((hash) => hash === undefined || hash !== last[0])) return undefined;
  if (steps === most) return firstSteps(steps);
  const lengths = [ended[0] ? steps : a.steps, ended[1] ? steps : b.steps] as const;
  return lengths[0] === lengths[1] ? { equal: true } : oneGoesOn([a, b], steps, lengths);
}

/** What two sides were given differently. */
function factDifferences({ facts: a }: Side, { facts: b }: Side): readonly KindDifference[] {
  // The numbers of optimizer, schedules and precision stand in a config as they were written, and the seed is told by itself.
  const inConfig = a.config && b.config ? /^(optimizer|schedulers|precision)\// : /^(?!)/;
  return compareFacts(a, b, deciding.diff).filter(
    ({ kind, what }) => !(kind === "numbers" && inConfig.test(what)) && what !== "trainer.init.seed",
  );
}

/** Where the training graphs differ, if their hashes do. */
async function graphDifferences(a: Side, b: Side): Promise<readonly NodeDifference[]> {
  if (compareFacts(a.facts, b.facts, ["graph"]).length === 0) return [];
  try {
    const [x, y] = [await trainGraph(a), await trainGraph(b)];
    return x && y ? compareGraphs(x, y).differences : [];
  } catch (error) {
    if (error instanceof SeedgradError) return [];
    throw error;
  }
}

interface Replayed {
  readonly step?: number;
  readonly roles?: Diff["roles"];
  readonly op?: OpDifference;
  readonly lockstep?: Lockstep;
  /** What one side's program isn't any more. */
  readonly cause?: Cause;
  readonly notes: readonly string[];
}

/** Runs both sides again until they differ. */
async function replay(
  [a, b]: readonly [Side, Side],
  parting: number | undefined,
  most = Number.POSITIVE_INFINITY,
  prepare: DiffOptions["prepare"] = async () => {},
): Promise<Replayed> {
  const without = [a, b].find(({ rebuild }) => rebuild === undefined);
  if (without) return { notes: [`${without.name} was made in code: give diffRuns how it is made again ({ rebuild })`] };
  try {
    await prepare();
    for (const side of a.folder !== undefined && a.folder === b.folder ? [] : [a, b]) {
      const otherwise = await strayed(side);
      if (!otherwise) continue;
      const detail = `${side.name} can't be made again as it was: ${otherwise.join("; ")}`;
      return { cause: { name: "another program", detail }, notes: [] };
    }
    const lives = [a.take(), b.take()];
    const [first, second] = [lives[0]?.backend.inner ?? (await load(a)), lives[1]?.backend.inner ?? (await load(b))];
    const program = (
      { rebuild, changes }: Side,
      backend: Backend,
      how: Pick<Program, "made" | "checkpoint"> = {},
    ): Program => ({ rebuild: rebuild!, backend, changes, ...how });
    const last = Math.min(most, parting ?? Infinity, a.links?.length || Infinity, b.links?.length || Infinity);
    const common = a.facts.seed === b.facts.seed ? commonCheckpoint(a, b, Math.min(last, parting ?? 0)) : undefined;
    let lockstep = await runLockstep(
      program(a, first, { made: lives[0], checkpoint: common?.[0] }),
      program(b, second, { made: lives[1], checkpoint: common?.[1] }),
      last,
    );
    // What differed before the checkpoint, and shows only now.
    if (!lockstep.divergence && common) lockstep = await runLockstep(program(a, first), program(b, second), last);
    const { divergence } = lockstep;
    if (!divergence) return { lockstep, notes: [] };
    const roles = [divergence.sides[0].role, divergence.sides[1].role] as const;
    return {
      step: divergence.step,
      roles,
      op: await firstDifference(divergence, [first, second]),
      lockstep,
      notes: [],
    };
  } catch (error) {
    if (!(error instanceof SeedgradError)) throw error;
    return { notes: [`the replay failed: ${error.message}`] };
  }
}

async function load({ backend, changes: { threads } }: Side): Promise<Backend> {
  return typeof backend === "string" ? loadBackend(backend, { threads }) : backend;
}

/** What the chains and facts alone say, where no op does. */
function causeOfChain(
  [a, b]: readonly [Side, Side],
  given: readonly FactDifference[],
  chain: ChainDifference | undefined,
  { lockstep }: Replayed,
  notes: string[],
): Cause {
  const at = chain && chain.kind !== "length" ? chain.step : undefined;
  const links = [a, b].map((side) => (at === undefined ? undefined : side.links?.[at - 1]));
  if (links[0] && links[1]) {
    if (links.every((link) => isNaNBits(link!.lossBits)) && links[0].lossBits !== links[1].lossBits)
      return { name: "NaN payload", detail: "one side recorded a NaN as it lay in memory, not as 7fc00000" };
    if (links[0].position !== links[1].position && !lockstep)
      return { name: "draw range", detail: `stream positions ${links[0].position} and ${links[1].position}` };
  }
  if (!lockstep) return { name: "unknown", detail: "it wasn't replayed" };
  for (const [side, { name, links: recorded }] of [a, b].entries()) {
    const replayed = lockstep.links[side].at(-1);
    if (!recorded || !replayed) continue;
    const hash = recorded[replayed.step - 1]?.hash;
    const same = hash !== undefined && toHex(hash) === toHex(replayed.hash);
    notes.push(
      `replayed here, ${name} ${same ? "comes" : "doesn't come"} to what it recorded at step ${replayed.step}`,
    );
  }
  const [fact] = given;
  // A run's folder against its own program: what was recorded of the program isn't what the folder's config makes now.
  if (fact && a.folder !== undefined && a.folder === b.folder) {
    const told = given.find(({ what }) => what !== "graph") ?? fact;
    const name = told.what === "seed" ? "another seed" : "another program";
    return { name, detail: `${told.what}: ${told.first} | ${told.second}` };
  }
  if (fact) return { name: "unknown", detail: `in ${lockstep.steps} steps nothing of it shows` };
  return {
    name: "unknown",
    detail: "replayed here, the two sides are the same: what one of them recorded came from elsewhere",
  };
}
