// Long expressions cut into stages: one after another they are the expression, of any element.
import { describe, expect, test } from "vitest";
import { children, type Expr, input, add as plus, mul as times, topological } from "../../kernels/expr.ts";
import * as math from "../../kernels/math/index.ts";
import { scratchOf, stagesOf, strip } from "../../src/schedule/stages.ts";
import { scalarFunction } from "../support/expr.ts";
import { edges } from "../support/kernels.ts";

const functions: Record<string, (x: Expr) => Expr> = {
  exp: math.exp,
  log: math.log,
  tanh: math.tanh,
  sigmoid: math.sigmoid,
  erf: math.erf,
  gelu: math.gelu,
  sin: math.sin,
  "sin of a tangent": (x) => math.sin(math.tan(times(x, 3))),
  "gelu and its derivative's parts": (x) => plus(math.gelu(x), times(math.erf(x), math.exp(times(x, -0.5)))),
};

describe("stages", () => {
  test.each(Object.entries(functions))("of %s, one after another, are the expression", (_, value) => {
    const body = value(input(0, "float32"));
    const { stages, slots } = stagesOf(body, 1, 4)!;
    expect(stages.length).toBeGreaterThan(1);
    const whole = scalarFunction(body);
    const parts = stages.map(({ roots }) => roots.map((root) => ({ ...root, run: scalarFunction(root.body) })));
    for (const x of [...edges.map(Math.fround), 0.3, -2.5, 17, 12869, -1e6, 3e38].map(Math.fround)) {
      const held: number[] = slots.map(() => Number.NaN);
      let result: number | undefined;
      for (const stage of parts) {
        for (const { slot, run } of stage) {
          if (slot < 0) result = run(x, ...held);
          else held[slot] = run(x, ...held);
        }
      }
      expect(Object.is(result, whole(x)), `at ${x}: ${result}, expected ${whole(x)}`).toBe(true);
    }
  });

  test("hold few operations each, and repeat only those that are quickly done again", () => {
    const count = (body: Expr) => topological(body).filter((expr) => children(expr).length > 0).length;
    const body = math.gelu(input(0, "float32"));
    const found = stagesOf(body, 1, 4)!;
    const { stages, slots } = found;
    expect(scratchOf(found)).toBe(4 * strip * slots.length);
    const counts = stages.map(({ roots }) => roots.reduce((sum, root) => sum + count(root.body), 0));
    expect(Math.max(...counts)).toBeLessThan(30);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(counts.reduce((sum, each) => sum + each, 0)).toBeLessThan(1.3 * count(body));
  });

  test("a short expression stays whole", () => {
    expect(stagesOf(plus(times(input(0, "float32"), 2), 1), 1, 4)).toBeNull();
    expect(scratchOf(null)).toBe(0);
  });
});
