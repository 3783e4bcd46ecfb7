// Who hands out draws while nodes are made: the trace that is open, with ranges relative to its base, or else the ambient stream.
import { TraceError } from "../core/errors.ts";
import { ambientStream, startedStream } from "../rng/stream.ts";
import { type DrawRange, type Node, nextNodeId } from "./node.ts";

/** An open trace: counts draws from 0 and collects what else its nodes must report. */
export interface TraceScope {
  /** Nodes with a smaller id were made before the trace opened: captured from outside. */
  readonly firstId: number;
  /** Draws handed out so far; dead nodes' draws count too. */
  draws: number;
  /** Extra roots by name: computed beside the outputs, not part of the graph's hash. */
  readonly watched: Map<string, Node>;
  /** State: what stood for each cell when the trace opened, the node it holds now, and what stands for that where it is read. */
  readonly cells: Map<object, { readonly input: Node; current: Node; version: Node }>;
  /** Host numbers that each call reads anew, as float32 scalars. */
  readonly scalars: { readonly name: string; readonly node: Node; readonly provide: () => number }[];
  /** Called in order when a call is made, before its scalars are read; a function that one returns takes back what it did. */
  readonly beforeExecution: (() => unknown)[];
}

let open: TraceScope | undefined;
/** The innermost body of a loop that is being traced. */
let tracedBody: { draws: number } | undefined;

/** The trace that is open, if any. */
export function currentTrace(): TraceScope | undefined {
  return open;
}

/** Runs `body` in a new trace scope; traces don't nest. Throws TraceError when one is open. */
export function withTrace<T>(body: (scope: TraceScope) => T): { scope: TraceScope; result: T } {
  if (open) {
    throw new TraceError({
      where: "compile",
      problem: "a compiled function was called while another is being traced",
      hint: "call the plain function inside, and compile the outer one",
    });
  }
  const scope: TraceScope = {
    firstId: nextNodeId(),
    draws: 0,
    watched: new Map(),
    cells: new Map(),
    scalars: [],
    beforeExecution: [],
  };
  open = scope;
  try {
    return { scope, result: body(scope) };
  } finally {
    open = undefined;
  }
}

/** Runs a function once for many times: a loop's body, or one example of a batch. Its draws are counted from 0: gives how many there are, and what their ranges have as `body`. */
export function withBody<T>(trace: () => T): { draws: number; result: T; body: object } {
  const around = tracedBody;
  const own = { draws: 0 };
  tracedBody = own;
  try {
    return { result: trace(), draws: own.draws, body: own };
  } finally {
    tracedBody = around;
  }
}

/** Whether the body of a loop, or of a function on a batch, is being traced. */
export const isInBody = (): boolean => tracedBody !== undefined;

/** Throws TraceError where the body of a loop is being traced: `what` would be done once, whatever the number of iterations. */
export function refuseInBody(what: string): void {
  if (!tracedBody) return;
  throw new TraceError({
    where: what,
    problem: "done in the body of a scan or a vmap",
    hint: "the body is traced once, for one step or one example: give what it computes as a carry or an output, and use that outside",
  });
}

/** The range of draws for a random node being made now, in program order. */
export function reserveDraws(count: number): DrawRange {
  const counter = tracedBody ?? open;
  if (counter) {
    const offset = counter.draws;
    counter.draws += count;
    return { offset, count, body: tracedBody };
  }
  const stream = ambientStream();
  return { offset: stream.reserve(count), count, seed: stream.seed };
}

/** Where the next draw is. */
export function drawPosition(): number {
  return (tracedBody ?? open)?.draws ?? startedStream()?.position ?? 0;
}

/** Runs `body` with the draws from `position` on, and goes back to where the next draw was. */
export function drawingFrom<T>(position: number, body: () => T): T {
  const counter = tracedBody ?? open;
  const stream = counter ? undefined : startedStream();
  const go = (to: number) => {
    if (counter) counter.draws = to;
    else stream?.seek(to);
  };
  const after = drawPosition();
  go(position);
  try {
    return body();
  } finally {
    go(after);
  }
}

/** Throws TraceError when a trace is open: `where` needs a value, and a trace has none. */
export function refuseInTrace(
  where: string,
  problem = "a value was read while tracing",
  hint = "a compiled step is one graph for all values: choose with where(condition, a, b), or return the tensor and read it outside",
): void {
  if (open || tracedBody) throw new TraceError({ where, problem, hint });
}
