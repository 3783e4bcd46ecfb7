// What machines that haven't made a run are asked for, to check it: data, as a job is. A replay is for anybody; what one of two shows who disagree is for him alone, and a third settles it.
import {
  checkFields,
  type FieldCheck,
  isCount,
  isHash,
  isRecord,
  isText,
  isTexts,
  listOf,
  maybe,
  shaped,
} from "../run/fields.ts";
import { checkJob, type Job, type Unmade } from "./job.ts";

/** Who made a part of a run, or has replayed it. */
export interface Party {
  /** The runner's id. */
  readonly by: string;
  /** Its public key; a runner without keys has none. */
  readonly key?: string;
}

/** A part of a run: who made it, after which step. */
export interface Part extends Party {
  readonly from: number;
}

/**
 * What is to be done. `replay`: the whole run, or so many steps from a checkpoint that the checking machine draws. Of one who replayed it, his own step after the checkpoint at `from`:
 * `values`: the hashes of all its values; `prove`: the proof of one. `settle`: which of two who show that step is wrong.
 */
export type CheckTask =
  | { readonly type: "replay"; readonly steps?: number }
  | { readonly type: "values"; readonly step: number; readonly from: number }
  | { readonly type: "prove"; readonly step: number; readonly from: number; readonly value: number }
  | {
      readonly type: "settle";
      readonly step: number;
      readonly from: number;
      readonly sides: readonly Required<Party>[];
    };

/** A check to be made. */
export interface CheckOrder {
  readonly format: 1;
  readonly job: Job;
  readonly task: CheckTask;
  /** Ids of runners that aren't to do it where there are others: who made the run, and who has checked it. */
  readonly except: readonly string[];
}

/** How a check ended: with what was asked for, or as a run does. */
export type CheckEnding = { readonly type: "done"; readonly value: unknown } | Unmade;

const isStep = (value: unknown): boolean => isCount(value) && value !== 0;
const place = { step: isStep, from: isCount };
const tasks: Readonly<Record<CheckTask["type"], (value: unknown) => boolean>> = {
  replay: shaped({ steps: maybe(isStep) }),
  values: shaped(place),
  prove: shaped({ ...place, value: isCount }),
  settle: shaped({
    ...place,
    sides: (value) => listOf(shaped({ by: isText, key: isHash }))(value) && (value as unknown[]).length === 2,
  }),
};
const checks: Readonly<Record<Exclude<keyof CheckOrder, "job">, FieldCheck>> = {
  format: ["1", (value) => value === 1],
  task: [
    `one of ${Object.keys(tasks).join(", ")}`,
    (value) =>
      isRecord(value) && Object.hasOwn(tasks, String(value.type)) && tasks[value.type as CheckTask["type"]](value),
  ],
  except: ["ids", isTexts],
};

/** Checks what a queue held. Throws CheckpointError naming `where` and the field. */
export function checkOrder(where: string, value: unknown): CheckOrder {
  checkFields(where, "a check", value, checks);
  const order = value as CheckOrder;
  checkJob(`${where}: job`, order.job);
  return order;
}
