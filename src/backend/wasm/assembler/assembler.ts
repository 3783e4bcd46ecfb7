// A WebAssembly assembler: functions are written statement by statement, each a tree of instructions, typed by the value it leaves; a module turns them
// into bytes. The vocabulary of single instructions is in instructions.ts. What is written is what is emitted, but for a loop's constants (constants.ts).

import { remembered } from "../../../core/remembered.ts";
import { Bytes, unsigned } from "./bytes.ts";
import {
  type Code,
  type CodeType,
  codeOf,
  type Integer,
  instruction,
  Local,
  nothing,
  type Operand,
  type Target,
  type ValueType,
} from "./code.ts";
import { type HeldConstants, heldOr, holdConstants } from "./constants.ts";

export * from "./code.ts";
export * from "./instructions.ts";

const typeByte: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };

const blockByte = 0x02;
const loopByte = 0x03;
const ifByte = 0x04;
const otherwise = instruction("none", nothing, [0x05]);

/** Code that is written to later. */
export interface Place {
  readonly operands: Code[];
}

/** A function being written: its parameters, locals made as they are needed, and its statements, the last of which leaves its result. */
export class FunctionBuilder {
  readonly module: ModuleBuilder;
  readonly name: string;
  readonly index: number;
  readonly parameters: readonly Local[];
  readonly results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  /** What waits to become bytes: nothing, unless there is a place among it. */
  readonly #waiting: Code[] = [];
  /** What is written to: the innermost block that is open. */
  #here: Code[] = this.#waiting;
  readonly #code = new Bytes();
  #isFinished = false;

  constructor(
    module: ModuleBuilder,
    name: string,
    index: number,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ) {
    this.module = module;
    this.name = name;
    this.index = index;
    this.parameters = parameters.map((type, i) => new Local(this, type, i));
    this.results = results;
  }

  local<T extends ValueType>(type: T): Local<T> {
    return new Local(this, type, this.parameters.length + this.#locals.push(type) - 1);
  }

  /** A new local that holds the value from here on. */
  let(value: Integer): Local<"i32">;
  let(value: Operand<"i64">): Local<"i64">;
  let<T extends ValueType>(value: Code<T>): Local<T>;
  let(value: Operand): Local {
    const type = typeof value === "number" ? "i32" : typeof value === "bigint" ? "i64" : value.type;
    const local = this.local(type);
    local.set(value);
    return local;
  }

  /** Writes statements. */
  emit(...codes: readonly (Code | number | bigint)[]): void {
    for (const code of codes) this.#add(codeOf(code));
  }

  /** Outside of all blocks code becomes bytes at once, so that its tree needn't be kept. */
  #add(code: Code): void {
    if (this.#here !== this.#waiting || this.#waiting.length > 0) this.#here.push(code);
    else this.#encode(code, [], undefined);
  }

  /** A block; a branch to its target leaves it. */
  block(body: (leave: Target) => void): void {
    this.#structured(blockByte, body);
  }

  /** A loop; a branch to its target starts it again, and without one it ends. */
  loop(body: (again: Target) => void): void {
    this.#structured(loopByte, body);
  }

  /** if, and if-else. */
  when(condition: Integer, yes: () => void, no?: () => void): void {
    this.emit(condition);
    this.#structured(ifByte, () => {
      yes();
      if (!no) return;
      this.emit(otherwise);
      no();
    });
  }

  branch(to: Target): void {
    this.#add({ type: "none", operands: nothing, bytes: [0x0c], opens: 0, to });
  }

  branchIf(to: Target, condition: Integer): void {
    this.#add({ type: "none", operands: [codeOf(condition)], bytes: [0x0d], opens: 0, to });
  }

  /** Computes a value for its effects only. */
  drop(value: Code<ValueType>): void {
    this.emit(instruction("none", [value], [0x1a]));
  }

  /** A place for what is to stand here, which is written later. */
  place(): Place {
    const operands: Code[] = [];
    this.#here.push({ type: "none", operands, bytes: nothing, opens: 0, to: undefined });
    return { operands };
  }

  /** Writes there. */
  at<R>({ operands }: Place, body: () => R): R {
    const outside = this.#here;
    this.#here = operands;
    const result = body();
    this.#here = outside;
    return result;
  }

  /** Code for a value that takes statements: they are run where the value is. */
  value<T extends ValueType>(body: () => Code<T>): Code<T> {
    const place: Place = { operands: [] };
    const value = this.at(place, body);
    return instruction(value.type, [...place.operands, value], nothing);
  }

  #structured(opens: number, body: (target: Target) => void): void {
    const operands: Code[] = [];
    const code: Code<"none"> = { type: "none", operands, bytes: nothing, opens, to: undefined };
    this.at({ operands }, () => body(code));
    this.#add(code);
  }

  /** `open` holds the blocks around the code, outermost first; `held` is what stands for constants in the loop around it. */
  #encode(written: Code, open: Code[], held: HeldConstants | undefined): void {
    const code = heldOr(written, held);
    const out = this.#code;
    if (code.opens === 0) {
      for (let i = 0; i < code.operands.length; i++) this.#encode(code.operands[i], open, held);
      out.extend(code.bytes);
      if (code.to) out.extend(unsigned(open.length - 1 - open.lastIndexOf(code.to as Code)));
      return;
    }
    let inside = held;
    if (code.opens === loopByte && !held) {
      const constants = holdConstants(code.operands, () => this.local("v128"));
      for (const part of constants.set) this.#encode(part, open, undefined);
      inside = constants.held;
    }
    out.push(code.opens, 0x40);
    open.push(code);
    for (const part of code.operands) this.#encode(part, open, inside);
    out.push(0x0b);
    open.pop();
  }

  /** Its bytes, in the code section; nothing is written after. */
  encode(out: Bytes): void {
    if (!this.#isFinished) {
      for (const code of this.#waiting) this.#encode(code, [], undefined);
      this.#code.push(0x0b);
      this.#isFinished = true;
    }
    const groups: [number, ValueType][] = [];
    for (const type of this.#locals) {
      const last = groups[groups.length - 1];
      if (last && last[1] === type) last[0]++;
      else groups.push([1, type]);
    }
    const locals = new Bytes();
    locals.push(...unsigned(groups.length));
    for (const [count, type] of groups) locals.push(...unsigned(count), typeByte[type]);
    out.push(...unsigned(locals.length + this.#code.length));
    out.append(locals);
    out.append(this.#code);
  }
}

/** The call of a function with one result or none. */
export function call<T extends CodeType = "none">(
  target: FunctionBuilder,
  ...operands: readonly (Code | number | bigint)[]
): Code<T> {
  return instruction((target.results[0] ?? "none") as T, operands, [0x10, ...unsigned(target.index)]);
}

/** A module of functions over one memory, imported as `memory` of `environment`: shared memory states its maximum, in pages of 64 KiB. */
export class ModuleBuilder {
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports: FunctionBuilder[] = [];
  readonly #shared = new Map<string, FunctionBuilder>();
  readonly #sharedMaximum: number | undefined;

  constructor({ sharedMaximum }: { readonly sharedMaximum?: number | undefined } = {}) {
    this.#sharedMaximum = sharedMaximum;
  }

  /** Adds a function; its body is given to it later or now. */
  function(
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[] = [],
    { exported = false } = {},
  ): FunctionBuilder {
    const made = new FunctionBuilder(this, name, this.#functions.length, parameters, results);
    this.#functions.push(made);
    if (exported) this.#exports.push(made);
    return made;
  }

  /** A function that others call, made once. */
  shared(name: string, make: () => FunctionBuilder): FunctionBuilder {
    return remembered(this.#shared, name, make);
  }

  encode(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.push(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
    const section = (id: number, fill: (bytes: Bytes) => void) => {
      const bytes = new Bytes();
      fill(bytes);
      out.push(id, ...unsigned(bytes.length));
      out.append(bytes);
    };
    const functions = this.#functions;
    section(1, (bytes) => {
      bytes.push(...unsigned(functions.length));
      for (const { parameters, results } of functions) {
        bytes.push(0x60, ...unsigned(parameters.length), ...parameters.map((local) => typeByte[local.type]));
        bytes.push(...unsigned(results.length), ...results.map((type) => typeByte[type]));
      }
    });
    section(2, (bytes) => {
      const maximum = this.#sharedMaximum;
      bytes.push(1, ...text("environment"), ...text("memory"), 0x02);
      bytes.push(...(maximum === undefined ? [0x00, 0x00] : [0x03, 0x00, ...unsigned(maximum)]));
    });
    section(3, (bytes) => {
      bytes.push(...unsigned(functions.length));
      for (const { index } of functions) bytes.push(...unsigned(index));
    });
    section(7, (bytes) => {
      bytes.push(...unsigned(this.#exports.length));
      for (const { name, index } of this.#exports) bytes.push(...text(name), 0x00, ...unsigned(index));
    });
    section(10, (bytes) => {
      bytes.push(...unsigned(functions.length));
      for (const each of functions) each.encode(bytes);
    });
    return out.finish().slice();
  }
}

function text(name: string): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...unsigned(bytes.length), ...bytes];
}
