// A WebAssembly assembler: code is a tree of instructions, typed by the value it leaves; functions and a module turn trees into bytes.
// The vocabulary of single instructions is in instructions.ts. Nothing is optimised here: what is written is what is emitted.

/** A WebAssembly value type; `none` is code that leaves no value. */
export type ValueType = "i32" | "i64" | "f32" | "v128";
export type CodeType = ValueType | "none";

/**
 * Code that leaves one value of type T, or none: first what its operands leave, then its own bytes. A structured piece opens a block with
 * `opens` around its operands; a branch ends in the depth of the block it goes `to`.
 */
export interface Code<T extends CodeType = CodeType> {
  readonly type: T;
  readonly operands: readonly Code[];
  readonly bytes: readonly number[];
  readonly opens: number;
  readonly to: Target | undefined;
}

/** What a branch goes to: the end of a block or the start of a loop. A block is its own target. */
export type Target = object;

/** Code out of the code of its operands and the bytes of an instruction. */
export function instruction<T extends CodeType>(type: T, operands: readonly Code[], bytes: readonly number[]): Code<T> {
  return { type, operands, bytes, opens: 0, to: undefined };
}

const nothing: readonly never[] = [];

/** Several pieces of code, one after another. */
export function sequence(...codes: readonly Code[]): Code<"none"> {
  return instruction("none", codes, nothing);
}

/** Code for its effects, then code for its value. */
export function after<T extends CodeType>(first: Code, then: Code<T>): Code<T> {
  return instruction(then.type, [first, then], nothing);
}

const typeByte: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return bytes;
}

/** Signed LEB128; numbers are int32. */
export function signed(value: bigint | number): number[] {
  const bytes: number[] = [];
  if (typeof value === "number") {
    for (let rest = value; ; rest >>= 7) {
      if (rest >= -64 && rest < 64) return [...bytes, rest & 127];
      bytes.push((rest & 127) | 128);
    }
  }
  for (let rest = value; ; rest >>= 7n) {
    if (rest >= -64n && rest < 64n) return [...bytes, Number(rest & 127n)];
    bytes.push(Number(rest & 127n) | 128);
  }
}

/** A local variable of a function. */
export class Local<T extends ValueType = ValueType> {
  readonly type: T;
  /** Its value. */
  readonly get: Code<T>;
  readonly #set: readonly number[];
  readonly #tee: readonly number[];

  constructor(type: T, index: number) {
    this.type = type;
    const bytes = unsigned(index);
    this.get = instruction(type, nothing, [0x20, ...bytes]);
    this.#set = [0x21, ...bytes];
    this.#tee = [0x22, ...bytes];
  }

  set(value: Code<T>): Code<"none"> {
    return instruction("none", [value], this.#set);
  }

  /** Sets it and leaves the value. */
  tee(value: Code<T>): Code<T> {
    return instruction(this.type, [value], this.#tee);
  }
}

function structured(opens: number, body: (target: Target) => readonly Code[]): Code<"none"> {
  const operands: Code[] = [];
  const code: Code<"none"> = { type: "none", operands, bytes: nothing, opens, to: undefined };
  operands.push(...body(code));
  return code;
}

/** A block; a branch to its target leaves it. */
export function block(body: (leave: Target) => readonly Code[]): Code<"none"> {
  return structured(0x02, body);
}

/** A loop; a branch to its target starts it again, and without one it ends. */
export function loop(body: (again: Target) => readonly Code[]): Code<"none"> {
  return structured(0x03, body);
}

const otherwise = instruction("none", nothing, [0x05]);

/** `when(condition, […])`, `when(condition, […], […])`: if, and if-else. */
export function when(condition: Code<"i32">, yes: readonly Code[], no: readonly Code[] = []): Code<"none"> {
  return sequence(
    condition,
    structured(0x04, () => (no.length > 0 ? [...yes, otherwise, ...no] : yes)),
  );
}

export function branch(to: Target): Code<"none"> {
  return { type: "none", operands: nothing, bytes: [0x0c], opens: 0, to };
}

export function branchIf(to: Target, condition: Code<"i32">): Code<"none"> {
  return { type: "none", operands: [condition], bytes: [0x0d], opens: 0, to };
}

/** Computes a value for its effects only. */
export function drop(value: Code<ValueType>): Code<"none"> {
  return instruction("none", [value], [0x1a]);
}

/** A function being built: its parameters, and locals made as they are needed. */
export class FunctionBuilder {
  readonly name: string;
  readonly index: number;
  readonly parameters: readonly Local[];
  readonly results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  readonly #code = new Bytes();

  constructor(name: string, index: number, parameters: readonly ValueType[], results: readonly ValueType[]) {
    this.name = name;
    this.index = index;
    this.parameters = parameters.map((type, i) => new Local(type, i));
    this.results = results;
  }

  local<T extends ValueType>(type: T): Local<T> {
    return new Local(type, this.parameters.length + this.#locals.push(type) - 1);
  }

  /** A new local that holds the value from here on: [the local, the code that sets it]. */
  hold<T extends ValueType>(value: Code<T>): [Local<T>, Code<"none">] {
    const local = this.local(value.type as T & ValueType) as Local<T>;
    return [local, local.set(value)];
  }

  /** Gives the function its code, which becomes bytes here, so that the tree needn't be kept. */
  body(...codes: readonly Code[]): void {
    const open: Code[] = [];
    for (const part of codes) emit(part, this.#code, open);
    this.#code.push(0x0b);
  }

  encode(out: Bytes): void {
    const code = new Bytes();
    const groups: [number, ValueType][] = [];
    for (const type of this.#locals) {
      const last = groups[groups.length - 1];
      if (last && last[1] === type) last[0]++;
      else groups.push([1, type]);
    }
    code.push(...unsigned(groups.length));
    for (const [count, type] of groups) code.push(...unsigned(count), typeByte[type]);
    out.push(...unsigned(code.length + this.#code.length));
    out.append(code);
    out.append(this.#code);
  }
}

/** `open` holds the blocks around the code, outermost first. */
function emit(code: Code, out: Bytes, open: Code[]): void {
  if (code.opens !== 0) {
    out.push(code.opens, 0x40);
    open.push(code);
    for (const part of code.operands) emit(part, out, open);
    out.push(0x0b);
    open.pop();
    return;
  }
  for (const part of code.operands) emit(part, out, open);
  out.extend(code.bytes);
  if (code.to) out.extend(unsigned(open.length - 1 - open.lastIndexOf(code.to as Code)));
}

/** The call of a function with one result or none. */
export function call<T extends CodeType = "none">(target: FunctionBuilder, ...operands: readonly Code[]): Code<T> {
  return instruction((target.results[0] ?? "none") as T, operands, [0x10, ...unsigned(target.index)]);
}

/** A growing array of bytes. */
class Bytes {
  #data = new Uint8Array(256);
  length = 0;

  push(...bytes: readonly number[]): void {
    this.extend(bytes);
  }

  extend(bytes: readonly number[]): void {
    this.#reserve(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#data[this.length++] = bytes[i];
  }

  append(other: Bytes): void {
    this.#reserve(other.length);
    this.#data.set(other.finish(), this.length);
    this.length += other.length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.length);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#data.length) return;
    const bigger = new Uint8Array(Math.max(2 * this.#data.length, this.length + count));
    bigger.set(this.#data);
    this.#data = bigger;
  }
}

/** The memory a module imports, as `memory` of `environment`: shared memory states its maximum, in pages of 64 KiB. */
export interface MemoryImport {
  readonly sharedMaximum?: number;
}

/** A module of functions over one imported memory. */
export class ModuleBuilder {
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports: FunctionBuilder[] = [];
  readonly #memory: MemoryImport;

  constructor(memory: MemoryImport = {}) {
    this.#memory = memory;
  }

  /** Adds a function; its body is given to it later or now. */
  function(
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[] = [],
    { exported = false } = {},
  ): FunctionBuilder {
    const made = new FunctionBuilder(name, this.#functions.length, parameters, results);
    this.#functions.push(made);
    if (exported) this.#exports.push(made);
    return made;
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
      const { sharedMaximum } = this.#memory;
      bytes.push(1, ...text("environment"), ...text("memory"), 0x02);
      bytes.push(...(sharedMaximum === undefined ? [0x00, 0x00] : [0x03, 0x00, ...unsigned(sharedMaximum)]));
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
