// A plan that the wasm backend has made ready: its bindings and constants in the backend's memory, and its runs.

import { kernelIndices } from "../../../kernels/kinds.ts";
import { OutOfRange } from "../../../kernels/range.ts";
import type { Buffer, Executable, Run } from "../../compile/contract.ts";
import type { Plan } from "../../compile/plan.ts";
import { itemSize } from "../../core/dtype.ts";
import { BackendError } from "../../core/errors.ts";
import { firstState } from "../../rng/state.ts";
import { align } from "../../schedule/places.ts";
import type { Schedule } from "../../schedule/schedule.ts";
import type { DrawWord } from "../../schedule/signature.ts";
import type { Workspace } from "../blocks.ts";
import { addressOf } from "../memory.ts";
import type { Program } from "./emit/program.ts";
import { bindings, bindingsBytes } from "./runtime/bindings.ts";
import type { Memory } from "./runtime/memory.ts";
import { outcome } from "./runtime/outcome.ts";
import type { Pool } from "./runtime/pool.ts";

/** What a backend's executables share. */
export interface Home {
  readonly memory: Memory;
  readonly workspace: Workspace;
  readonly pool: Pool | undefined;
}

type RunFunction = (bindings: number, control: number, part: number, parts: number, firstPhase: number) => number;

const drawWord = ({ draws: { firstDraw }, half }: DrawWord) =>
  half === "low" ? firstDraw % 2 ** 32 : Math.floor(firstDraw / 2 ** 32);

/** Makes a program ready, and gives it to the pool's workers if it has work for them. */
export async function wasmExecutable(
  schedule: Schedule,
  program: Program,
  { memory, workspace, pool }: Home,
): Promise<Executable> {
  const { plan, offsets, arenaBytes } = schedule;
  const module = await WebAssembly.compile(program.bytes);
  const { exports } = await WebAssembly.instantiate(module, { environment: { memory: memory.memory } });
  const runPart = exports.run as RunFunction;
  const { control, parts } = pool ?? { control: 0, parts: 1 };
  const sharing = schedule.isParallel ? pool : undefined;
  const threadBytes = schedule.localBytes + schedule.panelBytes + schedule.scratchBytes + align(program.listBytes);
  const scratchBytes = threadBytes * (sharing ? parts : 1);
  const blocks: [number, number][] = [];
  const block = (bytes: number): number => {
    const address = memory.allocate(bytes);
    blocks.push([address, bytes]);
    return address;
  };
  const own = block(bindingsBytes(program.lists.length));
  const setWord = (offset: number, word: number) => memory.view.setUint32(own + offset, word, true);
  /** Where in the bindings each value's address stands, or one so many bytes into it. */
  const places = new Map<number, { readonly at: number; readonly offset: number }[]>();
  const place = (value: number, address: number) => {
    for (const { at, offset } of places.get(value) ?? []) setWord(at, address + offset);
  };
  /** Addresses of inputs, then outputs, as they are in the bindings. */
  const bound = [...plan.inputs, ...plan.outputs].map(() => 0);
  /** Where the bindings say that the workspace is. */
  let workspaceAt = -1;
  let knownSeed: bigint | undefined;
  /** What the pool calls the program, once its workers have it. */
  let id: number | undefined;
  /** Of the latest run. */
  let firstPhase = 0;

  const bind = (ports: Plan["inputs"], buffers: readonly Buffer[], from: number) => {
    for (let i = 0; i < ports.length; i++) {
      const address = addressOf("wasm", memory, buffers[i]);
      if (bound[from + i] === address) continue;
      bound[from + i] = address;
      place(ports[i].value, address);
    }
  };

  /** Tells the bindings where the workspace is: the arena, and behind it each part's scratch memory. */
  const settle = () => {
    const at = workspace.reserve(arenaBytes + scratchBytes);
    if (at === workspaceAt) return;
    workspaceAt = at;
    for (const [value, offset] of offsets) place(value, at + offset);
    setWord(bindings.scratch, at + arenaBytes);
  };

  const setStream = (seed: bigint, base: number) => {
    if (knownSeed !== seed) firstState(seed).forEach((word, i) => setWord(bindings.state + 4 * i, word));
    knownSeed = seed;
    memory.view.setBigUint64(own + bindings.base, BigInt(base), true);
  };

  /** Begins a run, on this thread alone where no id is given. */
  const begin = (shared: number | undefined) => {
    setWord(bindings.status, 0);
    if (pool) firstPhase = pool.begin(shared);
  };

  /** This thread's part of the run. Throws BackendError if it ends in a trap. */
  const part = (): number => {
    try {
      return runPart(own, control, 0, parts, firstPhase);
    } catch (cause) {
      sharing?.trapped(cause);
      throw new BackendError({
        where: "wasm",
        problem: "a run ended in a trap, and what it was to write is half-written",
        got: String(cause),
        hint: "load the last checkpoint",
        cause,
      });
    }
  };

  const start = ({ inputs, outputs, seed, base }: Run): number => {
    settle();
    bind(plan.inputs, inputs, 0);
    bind(plan.outputs, outputs, inputs.length);
    if (plan.draws > 0 || knownSeed !== seed) setStream(seed, base);
    begin(id);
    return part();
  };

  const checkIndices = () => {
    const wordAt = (offset: number) => memory.view.getInt32(own + offset, true);
    if (wordAt(bindings.status) === 0) return;
    // Of several that were found the quickest thread's is told of: again on this one alone, which finds the first. No state has been written yet.
    if (sharing) {
      begin(undefined);
      part();
    }
    const [{ extent }] = kernelIndices(plan.kernels[wordAt(bindings.status) - 1]);
    throw new OutOfRange(String(wordAt(bindings.badIndex)), extent);
  };

  /** What follows when this thread has done its part: while others have yet to do theirs, events may come. */
  const wait = async (first: number): Promise<void> => {
    let left = first;
    while (left === outcome.paused) {
      await pool!.look();
      left = part();
    }
    if (left !== outcome.done) await pool!.fail();
    checkIndices();
  };

  const dispose = () => {
    if (id !== undefined) pool!.forget(id);
    for (const [address, bytes] of blocks.splice(0)) memory.free(address, bytes);
  };

  program.lists.forEach((entry, i) => {
    const at = bindings.values + 4 * i;
    if ("constant" in entry) setWord(at, entry.constant);
    else if ("draws" in entry) setWord(at, drawWord(entry));
    else places.set(entry.value, [...(places.get(entry.value) ?? []), { at, offset: entry.offset }]);
  });
  setWord(bindings.scratch + 4, threadBytes);
  try {
    plan.values.forEach((value, number) => {
      if (value.place.kind !== "constant") return;
      const address = block(value.size * itemSize(value.dtype));
      memory.write(address, value.place.data);
      place(number, address);
    });
    id = await sharing?.add(module, own);
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    plan,
    scratchBytes,
    sources: plan.kernels.map((_, kernel) => ({ kernel, where: "wasm" })),
    run(run) {
      pool?.check();
      if (pool?.isBusy) return pool.turn(() => wait(start(run)));
      const left = start(run);
      if (left === outcome.done) checkIndices();
      else return pool!.turn(() => wait(left));
    },
    dispose,
  };
}
