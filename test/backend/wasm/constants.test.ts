// No loop of a printed plan builds a SIMD constant: newer V8s would build it anew each time round. All are set before the outermost loop.
import { describe, expect, test } from "vitest";
import { f32x4, type Local, ModuleBuilder, v128 } from "../../../src/backend/wasm/assembler/assembler.ts";
import { printSchedule } from "../../../src/backend/wasm/emit/program.ts";
import { lower } from "../../../src/compile/lower.ts";
import type { Node } from "../../../src/graph/node.ts";
import { gelu } from "../../../src/ops/activations.ts";
import { exp, mul, sin, tanh } from "../../../src/ops/elementwise.ts";
import { transpose } from "../../../src/ops/movement.ts";
import { normal } from "../../../src/ops/random.ts";
import { max, sum } from "../../../src/ops/reduce.ts";
import { schedulePlan } from "../../../src/schedule/schedule.ts";
import { testData, traceGraph } from "../../support/graphs.ts";
import { disassemble } from "../../support/wabt.ts";
import { wasmTarget } from "../../support/wasm.ts";

/** How many constants a module's text has inside loops and outside of them. */
function count(text: string): { inside: number; outside: number } {
  const open: boolean[] = [];
  const found = { inside: 0, outside: 0 };
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (/^(block|loop|if)\b/.test(line)) open.push(line.startsWith("loop"));
    else if (/^end\b/.test(line)) open.pop();
    else if (line.startsWith("v128.const")) found[open.includes(true) ? "inside" : "outside"]++;
  }
  return found;
}

describe("constants", () => {
  test("of maps in one piece and in stages, of reductions in both orders, and of random numbers stand before the loops", async () => {
    const x = testData([40, 300]);
    const graph = traceGraph({ x }, ({ x }) => ({
      outputs: {
        short: mul(exp(x), x),
        long: gelu(x),
        tile: tanh(transpose(x)),
        rows: sum(exp(x), [1]),
        columns: sum(sin(x), [0]),
        largest: max(gelu(x), [1]),
        drawn: normal([500]),
      },
    }));
    const { inside, outside } = count(await disassemble(printSchedule(schedulePlan(lower(graph), wasmTarget)).bytes));
    expect(inside).toBe(0);
    expect(outside).toBeGreaterThan(30);
  });

  test("of what is rarely wanted are in a function of its own, one however often it is called and in whatever it is nested", async () => {
    const x = testData([300]);
    const bytesOf = async (depth: number) => {
      const graph = traceGraph({ x }, ({ x }) => ({
        outputs: { y: Array.from({ length: depth }).reduce<Node>((y) => sin(y), x), z: mul(sin(x), 2) },
      }));
      const { bytes } = printSchedule(schedulePlan(lower(graph), wasmTarget));
      const text = await disassemble(bytes);
      expect(text.match(/\(func .*\(param v128 v128 v128\) \(result v128\)\)?$/gm)).toHaveLength(1);
      return bytes.length;
    };
    const [one, two, six] = [await bytesOf(1), await bytesOf(2), await bytesOf(6)];
    expect(six - one).toBeLessThan(6 * (two - one));
  });

  test("of loops in loops are set once, before the outer one, equal ones together", async () => {
    const module = new ModuleBuilder();
    const fn = module.function("f", ["i32"]);
    const at = fn.parameters[0] as Local<"i32">;
    const one = () => v128.const(1, 1, 1, 1);
    fn.emit(v128.store(0, one()));
    fn.loop(() => {
      fn.emit(v128.store(at, one()));
      fn.loop(() => fn.emit(v128.store(at, f32x4.add(one(), v128.const(1, 2, 3, 4)), 16)));
    });
    fn.loop(() => fn.emit(v128.store(at, one())));
    const text = await disassemble(module.encode());
    expect(count(text)).toEqual({ inside: 0, outside: 4 });
    expect(text.indexOf("0x00000004")).toBeLessThan(text.indexOf("loop"));
    expect(WebAssembly.validate(module.encode())).toBe(true);
  });
});
