// How a runner checks a run that others made: from the store's files alone, in a process that trains as theirs did, and signed with its own key.
import type { KeyPair } from "#sign";
import { CheckpointError, refuse } from "../core/errors.ts";
import { type Attestation, signed } from "../verify/attestation.ts";
import type { OpProof } from "../verify/opproof.ts";
import type { StepValues } from "../verify/prove.ts";
import { type Disputant, rulingOf, settle } from "../verify/settle.ts";
import type { CheckEnding, CheckOrder, CheckTask, Party } from "./check.ts";
import { removeFolder } from "./folders.node.ts";
import type { JobQueue } from "./queue.ts";
import { isId, StoredRun } from "./snapshots.ts";
import type { Store } from "./store.ts";

/** What is done in a process of its own. */
export type FolderTask = Exclude<CheckTask, { readonly type: "settle" }>;

/** A check in a process of its own, or wherever. */
export interface CheckInWork {
  readonly ended: Promise<CheckEnding>;
  kill(): void;
}

/** What a check is made with. */
export interface Checks {
  readonly store: Store;
  readonly queue: JobQueue;
  readonly keys: KeyPair;
  readonly scratch: string;
  readonly start: (order: CheckOrder, folder: string, task: FolderTask) => CheckInWork;
  readonly signal: AbortSignal;
}

/** Seconds that one of two may take to show what his step came to. */
const showing = 600;

/** Makes a check that the queue calls `id`: a replay's statement, or a ruling, is put beside the run. Throws CheckpointError where the run isn't finished in the store, or is damaged there. */
export async function makeCheck(order: CheckOrder, id: string, given: Checks): Promise<CheckEnding> {
  const { store, keys, scratch, start, signal } = given;
  const { job, task } = order;
  if (!isId(id)) refuse(CheckpointError, "queue", "no check may be called so", id, "letters, digits and -");
  const run = new StoredRun(store, job.name);
  const [result] = await run.snapshots();
  if (result?.digest === undefined) {
    throw new CheckpointError({
      where: run.where,
      problem: "there is no finished run to check",
      got: result ? `step ${result.step}` : "nothing",
    });
  }
  const folder = `${scratch}/${id}`;
  try {
    removeFolder(folder);
    await run.restore(result, folder);
    if (task.type === "settle") {
      const [a, b] = task.sides.map((side) => shownBy(side, order, task.from, given));
      const settlement = await settle([a, b], task);
      const isRuled = settlement.wrong.length > 0 && !settlement.wrong.includes(keys.publicKey);
      if (isRuled) await run.attest(rulingOf(folder, task.step, settlement, keys), id);
      return { type: "done", value: settlement };
    }
    const making = start(order, folder, task);
    const kill = () => making.kill();
    if (signal.aborted) kill();
    signal.addEventListener("abort", kill, { once: true });
    const ending = await making.ended;
    signal.removeEventListener("abort", kill);
    if (signal.aborted) return { type: "stopped" };
    if (ending.type !== "done" || task.type !== "replay") return ending;
    const statement = signed(ending.value as Attestation, keys);
    await run.attest(statement, id);
    return { type: "done", value: statement };
  } finally {
    removeFolder(folder);
  }
}

/** What one of two shows, asked for through the queue. */
function shownBy(
  { by, key }: Required<Party>,
  { job }: CheckOrder,
  from: number,
  { queue, signal }: Checks,
): Disputant {
  const ask = async (task: FolderTask) => {
    const id = ["show", job.name, ...Object.values(task)].join("-");
    const { value } = await queue.check(id, { format: 1, job, task, except: [] }, { by, signal, seconds: showing });
    return value;
  };
  return {
    key,
    values: async (step) => (await ask({ type: "values", step, from })) as StepValues,
    prove: async (step, value) => (await ask({ type: "prove", step, from, value })) as OpProof,
  };
}
