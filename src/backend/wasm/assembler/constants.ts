// SIMD constants inside loops. Since V8 13 (Node 24) a `v128.const` in a loop is built anew each time round, which takes exp, tanh and gelu
// to half their speed. So a function's outermost loops take all their constants to the front, into locals. Those that registers have no
// room for V8 keeps on the stack: measured, that costs no more than reading them from a table in memory, and nothing on Node 20.
import type { Code, Local } from "./code.ts";

/** What stands for a loop's constants, by `keyOf`. */
export type HeldConstants = ReadonlyMap<string, Code>;

const isConstant = ({ bytes, operands }: Code) => operands.length === 0 && bytes[0] === 0xfd && bytes[1] === 12;
const keyOf = ({ bytes }: Code): string => bytes.join();

/** The code, or what stands for it if it is a constant that is held. */
export function heldOr(code: Code, held: HeldConstants | undefined): Code {
  return held && isConstant(code) ? (held.get(keyOf(code)) ?? code) : code;
}

/** What holds the constants of a loop's body: the code that sets each local, and what stands for the constants inside. */
export function holdConstants(
  body: readonly Code[],
  local: () => Local<"v128">,
): { readonly set: readonly Code[]; readonly held: HeldConstants } {
  const held = new Map<string, Code>();
  const set: Code[] = [];
  const visit = (code: Code) => {
    code.operands.forEach(visit);
    if (!isConstant(code)) return;
    const key = keyOf(code);
    if (held.has(key)) return;
    const made = local();
    held.set(key, made);
    set.push(made.setting(code as Code<"v128">));
  };
  body.forEach(visit);
  return { set, held };
}
