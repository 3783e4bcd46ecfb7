// Where nodes come from: the stack of the moment in which they were made, and in words the part of a program that they stand for. It is for people:
// nothing of it enters a hash, a plan or a comparison. Stacks are kept as they are, and read when somebody asks.
import { asErrorOf, callerSite, deepStack, layerSite, type Traced } from "../core/errors.ts";

/** A place in a program, as it is told. */
export interface Place {
  /** `file:line:column`. */
  readonly site?: string;
  /** What the node is for, where it isn't the forward pass: `gradient of matmul`, `adamW update of 0.weight`. */
  readonly role?: string;
  /** The part of the model that it is of: `layer 0 (Linear) of mlp`. */
  readonly part?: string;
}

/** A stack, read when somebody asks. Until then the engine keeps the objects whose methods are on it, tensors and models among them. */
class Stack {
  #traced: Traced | null;
  #line: string | undefined;
  #layer: string | undefined;

  constructor(traced: Traced) {
    this.#traced = traced;
  }

  /** Reads it now, after which it keeps nothing but the lines asked for. */
  read(): { readonly line: string | undefined; readonly layer: string | undefined } {
    if (this.#traced) {
      const { stack } = this.#traced;
      this.#line = callerSite(stack);
      this.#layer = layerSite(stack);
      this.#traced = null;
    }
    return { line: this.#line, layer: this.#layer };
  }
}

/** What made some nodes. One serves all nodes of a call. */
export class Site {
  readonly #stack: Stack;
  readonly #library: boolean;
  /** What the nodes are for, where a line of the program doesn't say: `gradient of matmul`, `adamW update of 0.weight`. */
  readonly role?: string;
  /** Which part of a model made them: `layer 0 (Linear) of mlp`. */
  readonly part?: string;
  /** The function that was called, which may have made them by others: `takeAlongAxis`. */
  readonly call?: string;

  /** `library`: whether a line of the library will do where there is none of a caller's. */
  constructor(stack: Traced | Stack, { role, part, call }: Pick<Site, "role" | "part" | "call">, library = true) {
    this.#stack = stack instanceof Stack ? stack : new Stack(stack);
    this.#library = library;
    this.role = role;
    this.part = part;
    this.call = call;
  }

  /** `file:line:column` of the caller's line, where the engine knows it. */
  get line(): string | undefined {
    return this.#stack.read().line;
  }

  /** The line, or where no caller's own line made the nodes, the part of the library that did (a layer, a loss), from the library's root. */
  get origin(): string | undefined {
    const { line, layer } = this.#stack.read();
    if (line !== undefined && !line.includes("/node_modules/")) return line;
    return this.#library ? layer : undefined;
  }

  /** All that is known of it. */
  get place(): Place {
    const { origin: site, role, part: of } = this;
    return { ...(site && { site }), ...(role && { role }), ...(of && { part: of }) };
  }

  /** The same place, for other nodes. */
  for(role: string): Site {
    return new Site(this.#stack, { ...this, role }, this.#library);
  }

  /** The same place, in a call of a function. */
  in(call: string): Site {
    return new Site(this.#stack, { ...this, call }, this.#library);
  }

  /** Lets go of all that its stack keeps: for who keeps nodes for long. */
  detach(): this {
    this.#stack.read();
    return this;
  }
}

/** A place for a reader: `gradient of matmul at model.ts:12:20, in layer 0 (Linear) of mlp`; undefined where nothing is known. */
export function showPlace({ site, role, part }: Place): string | undefined {
  const place = site && (role === undefined ? `made at ${site}` : `${role} at ${site}`);
  return [place ?? role, part && `in ${part}`].filter(Boolean).join(", ") || undefined;
}

let shared: Site | undefined;
let part: string | undefined;
let call: string | undefined;

/** Where this call stands. One look at the stack. */
export function hereSite(): Site {
  return shared ?? new Site(deepStack(), { part, call });
}

/** Where something was made that will make nodes later: a caller's line, or none. */
export function makerSite(): Site {
  return new Site(deepStack(), {}, false);
}

/** Runs `body`: all nodes it makes were made where it was called, or within another such call, where that was, by the outermost `name`. One look at the stack serves them all. */
export function atOneSite<T>(body: () => T, name?: string): T {
  if (shared && (name === undefined || shared.call !== undefined)) return body();
  const site = hereSite();
  return atSite(name === undefined || site.call !== undefined ? site : site.in(name), body);
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
export function atSite<T>(site: Site | undefined, body: () => T): T {
  const before = shared;
  shared = site ?? before;
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
