// Gradients and second gradients of attention, against central differences in float64.
import { test } from "vitest";
import { scaledDotProductAttention } from "../../src/ops/attention.ts";
import { fromValues } from "../../src/ops/creation.ts";
import { checkGradients as check } from "../support/gradients.ts";

test("attention: added and boolean masks, shared heads, a row that sees nothing", () => {
  const shapes = [
    [2, 3, 2],
    [2, 4, 2],
    [2, 4, 2],
  ] as const;
  const tolerance = 5e-5;
  check([...shapes, [3, 4]], (q, k, v, mask) => scaledDotProductAttention(q, k, v, { mask }), { tolerance });
  const [all, none] = [
    [true, true, false, true],
    [false, false, false, false],
  ];
  const mask = () => fromValues([all, none, all]);
  check(shapes, (q, k, v) => scaledDotProductAttention(q, k, v, { mask: mask() }), { tolerance });
  check(
    [
      [4, 2, 2],
      [2, 2, 2],
      [2, 2, 1],
    ],
    (q, k, v) => scaledDotProductAttention(q, k, v),
    { tolerance },
  );
});
