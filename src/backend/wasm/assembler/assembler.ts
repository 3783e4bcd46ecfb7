// A WebAssembly assembler: code is a tree of instructions, typed by the value it leaves; functions and a module turn trees into bytes.
// The vocabulary of single instructions is in instructions.ts. What is written is what is emitted, but for a loop's constants (constants.ts).

import { Bytes, unsigned } from "./bytes.ts";
import { type Code, type CodeType, instruction, Local, nothing, type Target, type ValueType } from "./code.ts";
import { type HeldConstants, heldOr, holdConstants } from "./constants.ts";

export { signed, unsigned } from "./bytes.ts";
export { type Code, type CodeType, instruction, Local, type Target, type ValueType } from "./code.ts";

/** Several pieces of code, one after another. */
export function sequence(...codes: readonly Code[]): Code<"none"> {
  return instruction("none", codes, nothing);
}

/** Code for its effects, then code for its value. */
export function after<T extends CodeType>(first: Code, then: Code<T>): Code<T> {
  return instruction(then.type, [first, then], nothing);
}

const typeByte: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };

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

const loopByte = 0x03;

/** A loop; a branch to its target starts it again, and without one it ends. */
export function loop(body: (again: Target) => readonly Code[]): Code<"none"> {
  return structured(loopByte, body);
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
  readonly module: ModuleBuilder;
  readonly name: string;
  readonly index: number;
  readonly parameters: readonly Local[];
  readonly results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  readonly #code = new Bytes();

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
    for (const part of codes) this.#emit(part, [], undefined);
    this.#code.push(0x0b);
  }

  /** `open` holds the blocks around the code, outermost first; `held` is what stands for constants in the loop around it. */
  #emit(written: Code, open: Code[], held: HeldConstants | undefined): void {
    const code = heldOr(written, held);
    const out = this.#code;
    if (code.opens === 0) {
      for (const part of code.operands) this.#emit(part, open, held);
      out.extend(code.bytes);
      if (code.to) out.extend(unsigned(open.length - 1 - open.lastIndexOf(code.to as Code)));
      return;
    }
    let inside = held;
    if (code.opens === loopByte && !held) {
      const constants = holdConstants(code.operands, () => this.local("v128"));
      for (const part of constants.set) this.#emit(part, open, undefined);
      inside = constants.held;
    }
    out.push(code.opens, 0x40);
    open.push(code);
    for (const part of code.operands) this.#emit(part, open, inside);
    out.push(0x0b);
    open.pop();
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

/** The call of a function with one result or none. */
export function call<T extends CodeType = "none">(target: FunctionBuilder, ...operands: readonly Code[]): Code<T> {
  return instruction((target.results[0] ?? "none") as T, operands, [0x10, ...unsigned(target.index)]);
}

/** The memory a module imports, as `memory` of `environment`: shared memory states its maximum, in pages of 64 KiB. */
export interface MemoryImport {
  readonly sharedMaximum?: number;
}

/** A module of functions over one imported memory. */
export class ModuleBuilder {
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports: FunctionBuilder[] = [];
  readonly #shared = new Map<string, FunctionBuilder>();
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
    const made = new FunctionBuilder(this, name, this.#functions.length, parameters, results);
    this.#functions.push(made);
    if (exported) this.#exports.push(made);
    return made;
  }

  /** A function that others call, made once. */
  shared(name: string, make: () => FunctionBuilder): FunctionBuilder {
    const made = this.#shared.get(name) ?? make();
    this.#shared.set(name, made);
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
