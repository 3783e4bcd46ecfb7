// A WebAssembly assembler: code is a tree of instructions, typed by the value it leaves; functions and a module turn trees into bytes.
// The vocabulary of single instructions is in instructions.ts. Nothing is optimised here: what is written is what is emitted.

/** A WebAssembly value type; `none` is code that leaves no value. */
export type ValueType = "i32" | "i64" | "f32" | "v128";
export type CodeType = ValueType | "none";

/** Code that leaves one value of type T, or none. Its parts are emitted in order: bytes as they are, code in place. */
export interface Code<T extends CodeType = CodeType> {
  readonly type: T;
  readonly parts: readonly Part[];
}

type Part = number | Code | Label | Branch;
/** Opens (or with `end`, closes) a block whose depth branches count. */
interface Label {
  readonly label: object;
  readonly end?: true;
}
interface Branch {
  readonly to: object;
}

/** Code out of opcode bytes and the code of its operands, operands first. */
export function instruction<T extends CodeType>(type: T, operands: readonly Code[], ...bytes: number[]): Code<T> {
  return { type, parts: [...operands, ...bytes] };
}

/** Several pieces of code, one after another. */
export function sequence(...codes: readonly Code[]): Code<"none"> {
  return { type: "none", parts: codes };
}

const typeByte: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest ? low | 128 : low);
  } while (rest);
  return bytes;
}

/** Signed LEB128. */
export function signed(value: bigint | number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (;;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    if ((rest === 0n && low < 64) || (rest === -1n && low >= 64)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 128);
  }
}

/** A local variable of a function. */
export class Local<T extends ValueType = ValueType> {
  readonly type: T;
  readonly index: number;

  constructor(type: T, index: number) {
    this.type = type;
    this.index = index;
  }

  get get(): Code<T> {
    return instruction(this.type, [], 0x20, ...unsigned(this.index));
  }

  set(value: Code<T>): Code<"none"> {
    return instruction("none", [value], 0x21, ...unsigned(this.index));
  }

  tee(value: Code<T>): Code<T> {
    return instruction(this.type, [value], 0x22, ...unsigned(this.index));
  }
}

/** What a branch goes to: the end of a block or the start of a loop. */
export type Target = object;

/** A block; a branch to its target leaves it. */
export function block(body: (leave: Target) => readonly Code[]): Code<"none"> {
  const label = {};
  return { type: "none", parts: [0x02, 0x40, { label }, ...body(label), 0x0b, { label, end: true }] };
}

/** A loop; a branch to its target starts it again, and without one it ends. */
export function loop(body: (again: Target) => readonly Code[]): Code<"none"> {
  const label = {};
  return { type: "none", parts: [0x03, 0x40, { label }, ...body(label), 0x0b, { label, end: true }] };
}

/** `when(condition, […])`, `when(condition, […], […])`: if, and if-else. */
export function when(condition: Code<"i32">, yes: readonly Code[], no: readonly Code[] = []): Code<"none"> {
  const label = {};
  const otherwise: Part[] = no.length > 0 ? [0x05, ...no] : [];
  return {
    type: "none",
    parts: [condition, 0x04, 0x40, { label }, ...yes, ...otherwise, 0x0b, { label, end: true }],
  };
}

export function branch(to: Target): Code<"none"> {
  return { type: "none", parts: [0x0c, { to }] };
}

export function branchIf(to: Target, condition: Code<"i32">): Code<"none"> {
  return { type: "none", parts: [condition, 0x0d, { to }] };
}

/** Computes a value for its effects only. */
export function drop(value: Code<ValueType>): Code<"none"> {
  return instruction("none", [value], 0x1a);
}

/** A function being built: its parameters, and locals made as they are needed. */
export class FunctionBuilder {
  readonly name: string;
  readonly index: number;
  readonly parameters: readonly Local[];
  readonly results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  #body: readonly Code[] = [];

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

  body(...codes: readonly Code[]): void {
    this.#body = codes;
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
    const labels: object[] = [];
    for (const part of this.#body) emit(part, code, labels);
    code.push(0x0b);
    out.push(...unsigned(code.length));
    out.append(code);
  }
}

function emit(code: Code, out: Bytes, labels: object[]): void {
  for (const part of code.parts) {
    if (typeof part === "number") out.push(part);
    else if ("parts" in part) emit(part, out, labels);
    else if ("to" in part) out.push(...unsigned(labels.length - 1 - labels.lastIndexOf(part.to)));
    else if (part.end) labels.pop();
    else labels.push(part.label);
  }
}

/** The call of a function with one result or none. */
export function call<T extends CodeType = "none">(target: FunctionBuilder, ...operands: readonly Code[]): Code<T> {
  return instruction((target.results[0] ?? "none") as T, operands, 0x10, ...unsigned(target.index));
}

/** A growing array of bytes. */
class Bytes {
  #data = new Uint8Array(256);
  length = 0;

  push(...bytes: readonly number[]): void {
    this.#reserve(bytes.length);
    for (const byte of bytes) this.#data[this.length++] = byte;
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
