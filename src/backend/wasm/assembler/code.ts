// Code as a tree of instructions, typed by the value it leaves, and the local variables that it sets and gets.
import { unsigned } from "./bytes.ts";

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

/** No operands, or no bytes. */
export const nothing: readonly never[] = [];

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
