// Where nodes come from: the stack of the moment in which they were made, and in words the part of a program that they stand for. It is for people:
// nothing of it enters a hash, a plan or a comparison. Stacks are kept as they are, and read when somebody asks.
import { asErrorOf, callerSite, deepStack, layerSite, type Traced } from "../core/errors.ts";

/** What a stack tells. */
interface Lines {
  readonly line?: string;
  readonly layer?: string;
}

/** Reads a stack once somebody asks, and then keeps nothing but its lines. Until then the engine keeps the objects whose methods are on it, tensors and models among them. */
function whenAsked(traced: Traced): () => Lines {
  let kept: Traced | null = traced;
  let lines: Lines = {};
  return () => {
    if (kept) {
      const { stack } = kept;
      lines = { line: callerSite(stack), layer: layerSite(stack) };
      kept = null;
    }
    return lines;
  };
}

/** What made some nodes. One serves all nodes of a call. */
export class Site {
  readonly #read: () => Lines;
  /** What the nodes are for, where a line of the program doesn't say: `gradient of matmul`, `adamW update of 0.weight`. */
  readonly role?: string;
  /** Which part of a model made them: `layer 0 (Linear) of mlp`. */
  readonly part?: string;
  /** The function that was called, which may have made them by others: `takeAlongAxis`. */
  readonly call?: string;
  /** Of a loop, where the nodes of its body were made. */
  readonly body?: readonly (Site | undefined)[];
  /** Whether only a caller's line will do, and none of the library. */
  readonly isCallers?: boolean;

  constructor(read: () => Lines, { role, part, call, body, isCallers }: Partial<Site>) {
    this.#read = read;
    this.role = role;
    this.part = part;
    this.call = call;
    this.body = body;
    this.isCallers = isCallers;
  }

  /** `file:line:column` of the caller's line, where the engine knows it. */
  get line(): string | undefined {
    return this.#read().line;
  }

  /** The line, or where no caller's own line made the nodes, the part of the library that did (a layer, a loss), from the library's root. */
  get origin(): string | undefined {
    const { line, layer } = this.#read();
    if (line !== undefined && !line.includes("/node_modules/")) return line;
    return this.isCallers ? undefined : layer;
  }

  /** The same place, of nodes of which this holds. */
  with(what: Partial<Site>): Site {
    return new Site(this.#read, { ...this, ...what });
  }
}

let shared: Site | undefined;
let part: string | undefined;
let call: string | undefined;

/** Where this call stands. One look at the stack. */
export function hereSite(): Site {
  return shared ?? new Site(whenAsked(deepStack()), { part, call });
}

/** Where something was made that will make nodes later: a caller's line, or none. */
export function makerSite(): Site {
  return new Site(whenAsked(deepStack()), { isCallers: true });
}

/**
 * Runs `body`: all nodes it makes were made where it was called, or within another such call, where that was, by the outermost `name`. One look at the stack serves them all.
 * What `body` gives to `outside` makes nodes as if it were called beside.
 */
export function atOneSite<T>(body: (outside: <R>(run: () => R) => R) => T, name?: string): T {
  const before = shared;
  const here = hereSite();
  const site = name === undefined || here.call !== undefined ? here : here.with({ call: name });
  return withShared(site, () => body((run) => withShared(before, run)));
}

/** Runs `body`: nodes it makes were made by this call, or by one that it is in, each where it was; an error of shapes or dtypes is this call's. */
export function inCall<T>(name: string, body: () => T): T {
  const before = call;
  call ??= name;
  try {
    return body();
  } catch (error) {
    throw asErrorOf(name, error);
  } finally {
    call = before;
  }
}

/** Runs `body`: all nodes it makes stand for `site`. */
export const atSite = <T>(site: Site | undefined, body: () => T): T => withShared(site ?? shared, body);

function withShared<T>(site: Site | undefined, body: () => T): T {
  const before = shared;
  shared = site;
  try {
    return body();
  } finally {
    shared = before;
  }
}

/** Says which part of a model makes nodes from here on, and gives the part before: to be set again. A function around would be one more frame in every stack. */
export function enterPart(name: string | undefined): string | undefined {
  const before = part;
  part = name;
  return before;
}

/** Runs `body`: nodes it makes are of this part of a model, or of one that it names itself. */
export function inPart<T>(name: string, body: () => T): T {
  const before = enterPart(name);
  try {
    return body();
  } finally {
    enterPart(before);
  }
}
