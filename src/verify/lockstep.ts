// Two programs run side by side, in memory: first what gave their variables their values, then step after step, until something that went into
// a graph or came out of it differs. The two wait for each other in a hook, after each step.
import type { Backend } from "../compile/contract.ts";
import { ReproError } from "../core/errors.ts";
import type { EpochDraws } from "../data/draws.ts";
import type { DataLoader, LoadedBatch } from "../data/loader.ts";
import type { ChainLink } from "../run/chain.ts";
import type { FitContext, StepContext, StepResult, TrainerOptions, TrainerView } from "../train/contract.ts";
import type { Rebuild } from "../train/replay.ts";
import { validationDecides } from "../train/validations.ts";
import { sameElements } from "./bits.ts";
import { type LiveProgram, makeLive } from "./live.ts";
import { latestOf, latestStep, type RunRecord } from "./record.ts";

/** A program to run: how it is made, on which backend, and from which of its checkpoints. */
export interface Program {
  readonly rebuild: Rebuild;
  readonly backend: Backend;
  /** It, where it was made before, and hasn't run; left out: it is made. */
  readonly made?: LiveProgram;
  readonly changes?: Partial<TrainerOptions>;
  readonly checkpoint?: string | null;
}

/** Where a batch is: its epoch's draws, and its number in the epoch. */
export interface Place extends EpochDraws {
  readonly cursor: number;
}

/** Where one side is after a step. */
export interface SideState {
  readonly trainer: TrainerView;
  readonly loader: DataLoader;
  readonly record: RunRecord;
  /** What the graph is in its run: `init`, `train`, or of one of several kinds of step `train/0`. */
  readonly role: string;
  /** The step's batch, and where it is; none for the init graph. */
  readonly batch?: LoadedBatch;
  readonly place?: Place;
  /** The chain's link, as this replay made it. */
  readonly link?: ChainLink;
}

/** Where two programs first differ. */
export interface Divergence {
  /** From 1; 0: the graph that gives the variables their first values. */
  readonly step: number;
  readonly sides: readonly [SideState, SideState];
}

/** What came of running two programs side by side. */
export interface Lockstep {
  /** Where they first differ; undefined where they don't as far as they ran. */
  readonly divergence?: Divergence;
  /** Steps that both took. */
  readonly steps: number;
  /** Whether each came to the end of its own loop. */
  readonly ended: readonly [boolean, boolean];
  /** The links each made, by side. */
  readonly links: readonly [readonly ChainLink[], readonly ChainLink[]];
}

class Stop extends ReproError {}

/** Where two sides wait for each other. */
class Barrier {
  #waiting:
    | { readonly side: 0 | 1; readonly state: SideState; readonly go: (other: SideState | undefined) => void }
    | undefined;
  readonly #gone = new Set<0 | 1>();

  /** Gives the other side's state; undefined where it won't come any more. */
  meet(side: 0 | 1, state: SideState): Promise<SideState | undefined> {
    const other = this.#waiting;
    if (other && other.side !== side) {
      this.#waiting = undefined;
      other.go(state);
      return Promise.resolve(other.state);
    }
    if (this.#gone.has(side === 0 ? 1 : 0)) return Promise.resolve(undefined);
    return new Promise((go) => {
      this.#waiting = { side, state, go };
    });
  }

  leave(side: 0 | 1): void {
    this.#gone.add(side);
    this.#waiting?.go(undefined);
    this.#waiting = undefined;
  }
}

/** Runs two programs until they differ, one ends, or both took step `last`. Throws what one of them throws. */
export async function runLockstep(first: Program, second: Program, last = Number.POSITIVE_INFINITY): Promise<Lockstep> {
  const barrier = new Barrier();
  const links: [ChainLink[], ChainLink[]] = [[], []];
  const ended: [boolean, boolean] = [false, false];
  let divergence: Divergence | undefined;
  let steps = 0;

  const runSide = async (program: Program, side: 0 | 1): Promise<void> => {
    let live: LiveProgram | undefined;
    let loader: DataLoader | undefined;
    const arrive = async (step: number, state: SideState) => {
      const other = await barrier.meet(side, state);
      const stop = (problem: string) => new Stop({ where: `step ${step}`, problem });
      if (!other) throw stop("the other side has ended");
      if (step > 0) steps = Math.max(steps, step);
      if (!sameRecord(state.record, other.record) || !sameSamples(state, other)) {
        divergence ??= { step, sides: side === 0 ? [state, other] : [other, state] };
        throw stop("the two sides differ");
      }
      if (step >= last) throw stop("the last step to compare");
    };
    let place: Place | undefined;
    const callback = {
      onTrainStepStart({ trainer: { seed, progress } }: StepContext) {
        place = { seed, offset: progress.offset!, cursor: progress.cursor };
      },
      async onTrainStart({ trainer }: FitContext) {
        const record = latestOf(live!.backend, [trainer.graphs.init]);
        if (record && trainer.step === 0) await arrive(0, { trainer, loader: loader!, record, role: "init" });
      },
      async onTrainStepEnd({ trainer, step, batch }: StepResult) {
        const link = trainer.lastLink!;
        links[side].push(link);
        const { record, role } = latestStep(live!.backend, trainer.graphs);
        await arrive(step, { trainer, loader: loader!, record, role, batch, place, link });
      },
    };
    try {
      live = program.made ?? (await makeLive(program.rebuild, program.backend, program.changes));
      live.watchedBy(callback);
      const { trainer, train, validations } = live;
      loader = train;
      const decides = validationDecides(trainer);
      await trainer.fit(train, decides ? validations : [], { ckptPath: program.checkpoint ?? null });
      ended[side] = true;
    } catch (error) {
      if (!stopped(error)) throw error;
    } finally {
      barrier.leave(side);
    }
  };
  const ends = await Promise.allSettled([runSide(first, 0), runSide(second, 1)]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return { divergence, steps, ended, links };
}

/** Whether an error is the end that a replay was brought to: hooks' errors come wrapped in their own class. */
const stopped = (error: unknown) => error instanceof Stop;

/** Whether two batches hold samples of the same numbers. */
export function sameSamples({ batch: a }: SideState, { batch: b }: SideState): boolean {
  const numbers = (batch: LoadedBatch | undefined) => Array.from(batch?.indices ?? []).join();
  return numbers(a) === numbers(b);
}

/** Whether the same went into two runs of a graph, by name, and the same came out. */
function sameRecord(a: RunRecord, b: RunRecord): boolean {
  const ports = (record: RunRecord) => [
    ...record.plan.inputs.map(({ name }, i) => [`in ${name}`, record.inputs[i]] as const),
    ...record.plan.outputs
      .slice(0, record.plan.graph.outputs.length)
      .map(({ name }, i) => [`out ${name}`, record.outputs[i]] as const),
  ];
  const second = new Map(ports(b));
  const all = ports(a);
  return (
    all.length === second.size &&
    all.every(([name, data]) => {
      const other = second.get(name);
      return other !== undefined && sameElements(data, other);
    })
  );
}
