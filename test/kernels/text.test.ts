// Expressions as text: the form that graph hashes hold, which is as fixed as they are.
import { describe, expect, test } from "vitest";
import * as e from "../../kernels/expr.ts";
import { expressionText } from "../../kernels/text.ts";

const x = e.input(0, "float32");

describe("an expression's text", () => {
  test("has a line a part, operands before what uses them", () => {
    const i = e.input(1, "int32");
    const body = e.select(e.or(e.lt(x, -0), e.ne(i, 7)), e.toFloat32(i), e.sqrt(e.mul(x, 0.1)));
    expect(expressionText(body)).toBe(
      [
        "input float32 0",
        "constant float32 80000000",
        "lt bool 0 1",
        "input int32 1",
        "constant int32 7",
        "ne bool 3 4",
        "or bool 2 5",
        "toFloat32 float32 3",
        "constant float32 3dcccccd",
        "mul float32 0 8",
        "sqrt float32 9",
        "select float32 6 7 10",
      ].join("\n"),
    );
  });

  test("doesn't know which parts are one object", () => {
    const shared = e.mul(x, 2);
    const apart = e.add(e.mul({ kind: "input", type: "float32", index: 0 }, 2), e.mul(x, 2));
    expect(expressionText(e.add(shared, shared))).toBe(expressionText(apart));
  });

  test("has every NaN as one", () => {
    const bits = new Float32Array(new Uint32Array([0xffc00001]).buffer)[0];
    expect(expressionText(e.constant(bits))).toBe("constant float32 7fc00000");
  });

  test("tells apart operands in another order, types, constants and inputs by number", () => {
    const texts = [
      e.sub(x, 1),
      e.sub(e.constant(1), x),
      e.sub(x, 2),
      e.sub(x, 0),
      e.sub(x, -0),
      e.add(x, 1),
      e.sub(e.input(1, "float32"), 1),
      e.sub(e.input(0, "int32"), 1),
      e.lt(x, 1),
    ].map(expressionText);
    expect(new Set(texts).size).toBe(texts.length);
  });
});
