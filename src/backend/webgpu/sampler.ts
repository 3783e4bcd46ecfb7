// Integers from the stream that take two words each. A permutation is one invocation's: each exchange waits for the one before.
import type { RandomKernel } from "../../../kernels/sampler.ts";
import { sizeOf } from "../../core/shape.ts";
import { type Dispatch, offset, Shader } from "./shader.ts";

export function printSampler(
  { sampler, output, shape, offset: firstDraw, low, high }: RandomKernel,
  isGuarded: boolean,
): Dispatch[] {
  const count = sizeOf(shape);
  if (count === 0) return [];
  const shader = new Shader({ isGuarded });
  const out = shader.base(output);
  const state = shader.state({ firstDraw });
  const draw = (x: string) => shader.call("output_of", x);
  const next = shader.call("next_state", "x");
  if (sampler === "randint") {
    const scaled = shader.call("scaled", draw("x"), draw(next), offset(high! - low!));
    const lines = [
      `let x = ${shader.call("jumped", state, "2u * flat")};`,
      shader.store(`${out} + flat`, `${offset(low!)} + ${scaled}`),
    ];
    return [shader.points(lines, count)];
  }
  const lines = [
    `for (var i = 0u; i < ${count}u; i++) { ${shader.store(`${out} + i`, "i")} }`,
    `var x = ${state};`,
    `for (var last = ${count - 1}u; last > 0u; last--) {`,
    `  let first = ${draw("x")};`,
    `  x = ${next};`,
    `  let other = ${shader.call("scaled", "first", draw("x"), "last + 1u")};`,
    `  x = ${next};`,
    `  let moved = heap[${out} + last];`,
    `  ${shader.store(`${out} + last`, `heap[${out} + other]`)}`,
    `  ${shader.store(`${out} + other`, "moved")}`,
    "}",
  ];
  return [shader.points(lines, 1)];
}
