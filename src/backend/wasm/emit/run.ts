// `run` of a program: its phases in order, those of a loop position after position. At each position of a loop a thread writes the addresses and draws
// that a function is to see there to a list of its own, so that functions know nothing of loops.
import type { Repeat } from "../../../../kernels/kernel.ts";
import { type Call, type Phase, phaseCount, type Step } from "../../../schedule/phases.ts";
import type { Schedule } from "../../../schedule/schedule.ts";
import {
  type Code,
  call,
  type FunctionBuilder,
  type Integer,
  i32,
  i64,
  type Local,
  type Operand,
} from "../assembler/assembler.ts";
import { bindings } from "../runtime/bindings.ts";
import type { phasePrinter } from "../runtime/chunks.ts";
import { outcome } from "../runtime/outcome.ts";
import { bytesBefore, type Context, type Entry, type Motion } from "./context.ts";
import { countLoop } from "./nest.ts";

/** A function of the program, and what it is called with. */
export interface Printed {
  readonly fn: FunctionBuilder;
  /** Called once by a thread before its first chunk of a phase; in a phase of one chunk right before the function, since what it packs may be made there. */
  readonly prepare?: FunctionBuilder;
  /** Its function's list. */
  readonly list: readonly Entry[];
}

/** Where a program is printed for several threads: their memory's maximum in pages, and what prints how they share a phase. */
export interface Sharing {
  readonly maximum: number;
  readonly phasePrinter: typeof phasePrinter;
}

/** A loop around what is printed: where it is, and how many phases a position has. */
interface Around {
  readonly repeat: Repeat;
  readonly turn: Local<"i32">;
  readonly phases: number;
}

/** What functions read addresses from. */
export interface Lists {
  /** The lists of the bindings, one after another. */
  readonly lists: readonly Entry[];
  /** Bytes of each thread's own memory, behind all else of it, for lists that change from position to position. */
  readonly listBytes: number;
}

/** Prints `run(bindings, control, part, parts, first phase)` → an outcome. Called again after a pause, it continues where the run is. Gives the lists. */
export function printRun(
  context: Context,
  schedule: Schedule,
  printed: ReadonlyMap<Call, Printed>,
  sharing?: Sharing,
): Lists {
  const lists: Entry[] = [];
  let listBytes = 0;
  const fn = context.module.function("run", ["i32", "i32", "i32", "i32", "i32"], ["i32"], { exported: true });
  const [at, control, part, parts, first] = fn.parameters as Local<"i32">[];
  const scratch = fn.local("i32");
  const total = phaseCount(schedule.steps);

  /** An entry of a list as it is at this position; `word`: as the bindings have it. */
  const entryAt = (entry: Entry, word: Code<"i32">, around: readonly Around[]): Code<"i32"> => {
    if ("motions" in entry) {
      return entry.motions.reduce((address, motion) => i32.add(address, motionCode(motion, around)), word);
    }
    if (!("draws" in entry)) return word;
    const first = around.reduce<Operand<"i64">>(
      (sum, { repeat, turn }) =>
        i64.add(sum, i64.mul(i64.extendI32U(positionCode(repeat, turn)), BigInt(repeat.draws))),
      BigInt(entry.draws.firstDraw),
    );
    return i32.wrapI64(entry.half === "low" ? first : i64.shrU(first, 32n));
  };

  /** What a thread does before its first chunk of a phase, and for each chunk. */
  const callsOf = ({ calls, chunks }: Phase, around: readonly Around[]) => {
    let own = schedule.scratchBytes;
    const all = calls.map((each) => {
      const { fn: called, prepare, list } = printed.get(each)!;
      const first = bindings.values + 4 * lists.length;
      lists.push(...list);
      const isMoving = list.some((entry) =>
        "motions" in entry ? entry.motions.length > 0 : "draws" in entry && around.length > 0,
      );
      const to = own;
      if (isMoving) own += 4 * list.length;
      const values = isMoving ? i32.add(scratch, to) : i32.add(at, first);
      const run = (what: FunctionBuilder, chunk: Integer) => fn.emit(call(what, at, values, scratch, chunk, chunks));
      const write = () => {
        if (!isMoving) return;
        list.forEach((entry, i) =>
          fn.emit(i32.store(scratch, entryAt(entry, i32.load(at, first + 4 * i), around), to + 4 * i)),
        );
      };
      const pack = () => prepare && run(prepare, 0);
      return {
        before() {
          write();
          if (chunks > 1) pack();
        },
        each(chunk: Local<"i32">) {
          if (chunks === 1) pack();
          run(called, chunk);
        },
      };
    });
    listBytes = Math.max(listBytes, own - schedule.scratchBytes);
    return {
      before: () => {
        const first = i32.add(i32.load(at, bindings.scratch), bytesBefore(context));
        scratch.set(i32.add(first, i32.mul(part, i32.load(at, bindings.scratch + 4))));
        for (const { before } of all) before();
      },
      each: (chunk: Local<"i32">) => {
        for (const { each } of all) each(chunk);
      },
    };
  };

  /** Steps of which the first is phase `before` of each position of what is around. */
  const eachPhase = (
    steps: readonly Step[],
    before: number,
    around: readonly Around[],
    print: (phase: Phase, number: Integer, around: readonly Around[]) => void,
  ): void => {
    let count = before;
    for (const step of steps) {
      const own = count;
      count += phaseCount([step]);
      if ("repeat" in step) {
        const { repeat, body } = step;
        const phases = phaseCount(body);
        countLoop(fn, 0, repeat.count, 1, (turn) => eachPhase(body, own, [...around, { repeat, turn, phases }], print));
      } else {
        const number = around.reduce<Integer>((sum, { turn, phases }) => i32.add(sum, i32.mul(turn, phases)), own);
        print(step, number, around);
      }
    }
  };

  const shared = sharing?.phasePrinter(fn, { control, part, parts, first, status: i32.add(at, bindings.status) });
  fn.block((leave) =>
    eachPhase(schedule.steps, 0, [], (phase, number, around) => {
      const { chunks, checks } = phase;
      const work = callsOf(phase, around);
      // After a bad index nothing more is run.
      if (shared) shared.print(leave, { ...work, chunks, number, skips: checks ? i32.sub(total, number) : 1 });
      else {
        work.before();
        countLoop(fn, 0, chunks, 1, work.each);
        if (checks) fn.branchIf(leave, i32.load(at, bindings.status));
      }
    }),
  );
  fn.emit(shared?.outcome ?? outcome.done);
  return { lists, listBytes };
}

const positionCode = ({ count, reverse }: Repeat, turn: Local<"i32">): Code<"i32"> =>
  reverse ? i32.sub(count - 1, turn) : turn;

function motionCode({ repeat, bytes, shift, slots }: Motion, around: readonly Around[]): Code<"i32"> {
  const { turn } = around.find((each) => each.repeat === repeat)!;
  const position = i32.add(positionCode(repeat, turn), shift);
  return i32.mul(slots === 2 ? i32.and(position, 1) : position, bytes);
}
