// Code as a tree of instructions, typed by the value it leaves, and the local variables that it sets and gets.
import { BackendError, refuse } from "../../../core/errors.ts";
import { signed, unsigned } from "./bytes.ts";

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

/** Code that leaves some value. */
export type Value = Code<ValueType>;

/** What an instruction takes: code, or an integer as it is. */
export type Operand<T extends ValueType = ValueType> =
  | Code<T>
  | (T extends "i32" ? number : T extends "i64" ? bigint : never);

export type Integer = Operand<"i32">;

/** What a branch goes to: the end of a block or the start of a loop. A block is its own target. */
export type Target = object;

/** No operands, or no bytes. */
export const nothing: readonly never[] = [];

/** Code for an operand. Throws BackendError for a number that isn't one of 32 bits: cut to them it would be another. */
export function codeOf(operand: number): Code<"i32">;
export function codeOf(operand: Code | number | bigint): Code;
export function codeOf(operand: Code | number | bigint): Code {
  if (typeof operand === "number") {
    if (operand !== (operand | 0) && operand !== operand >>> 0)
      refuse(BackendError, "wasm", "a number in a program that isn't one of 32 bits", operand, "an integer");
    return instruction("i32", nothing, [0x41, ...signed(operand | 0)]);
  }
  if (typeof operand === "bigint") return instruction("i64", nothing, [0x42, ...signed(BigInt.asIntN(64, operand))]);
  return operand;
}

/** Code out of the code of its operands and the bytes of an instruction. */
export function instruction<T extends CodeType>(
  type: T,
  operands: readonly (Code | number | bigint)[],
  bytes: readonly number[],
): Code<T> {
  return { type, operands: operands.map(codeOf), bytes, opens: 0, to: undefined };
}

/** What code is written to: a function. */
export interface Writer {
  emit(...codes: readonly (Code | number | bigint)[]): void;
}

/** A local variable of a function: as code, its value. */
export class Local<T extends ValueType = ValueType> implements Code<T> {
  readonly type: T;
  readonly operands = nothing;
  readonly bytes: readonly number[];
  readonly opens = 0;
  readonly to = undefined;
  readonly #writer: Writer;
  readonly #index: readonly number[];

  constructor(writer: Writer, type: T, index: number) {
    this.type = type;
    this.#writer = writer;
    this.#index = unsigned(index);
    this.bytes = [0x20, ...this.#index];
  }

  /** Sets it from here on. */
  set(value: Operand<T>): void {
    this.#writer.emit(this.setting(value));
  }

  /** Code that sets it. */
  setting(value: Operand<T>): Code<"none"> {
    return instruction("none", [value], [0x21, ...this.#index]);
  }

  /** Code that sets it and leaves the value. */
  tee(value: Operand<T>): Code<T> {
    return instruction(this.type, [value], [0x22, ...this.#index]);
  }
}
