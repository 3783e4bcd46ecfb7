// Where nodes say they come from, and that no hash knows of it.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autograd/grad.ts";
import { graphHash, planKey } from "../../src/compile/hash.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { placeOf, showPlace } from "../../src/graph/place.ts";
import { atOneSite, atSite, hereSite, inPart } from "../../src/graph/site.ts";
import * as nn from "../../src/nn/index.ts";
import { namingModules } from "../../src/nn/naming.ts";
import { fromValues } from "../../src/ops/creation.ts";
import { exp, mul } from "../../src/ops/elementwise.ts";
import { sum } from "../../src/ops/reduce.ts";
import { Stream, withStream } from "../../src/rng/stream.ts";
import { tensor } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { traceGraph } from "../support/graphs.ts";

const source = readFileSync(new URL(import.meta.url), "utf8").split("\n");
const lineOf = (node: Node) => source[Number(node.made!.line!.split(":").at(-2)) - 1];

/** Nodes that only the second of two reaches. */
function beyond(result: Node, known: readonly Node[]): Node[] {
  const found = new Set<Node>();
  const visit = (node: Node) => {
    if (known.includes(node) || found.has(node)) return;
    found.add(node);
    node.inputs.forEach(visit);
  };
  visit(result);
  return [...found];
}

describe("gradients", () => {
  const x = fromValues([1, 2], "float32");
  const e = exp(x);
  const y = mul(e, e);
  const total = sum(y);
  const forward = [x, e, y, total];

  test("stand where the forward node stands", () => {
    const [gradient] = gradients(total, [x]);
    const made = beyond(gradient, forward);
    const roles = new Set(made.map((node) => node.made!.role));
    expect(roles).toEqual(new Set(["gradient of sum", "gradient of mul", "gradient of exp"]));
    for (const node of made) {
      const name = { "gradient of sum": "sum(y)", "gradient of mul": "mul(e, e)", "gradient of exp": "exp(x)" };
      expect(lineOf(node)).toContain(name[node.made!.role as keyof typeof name]);
    }
    expect(showPlace(placeOf(gradient.made!))).toMatch(/^gradient of exp at \S+site\.test\.ts:\d+:\d+$/);
  });

  test("of gradients, and of what nothing depends on", () => {
    const [first] = gradients(total, [x]);
    const [second] = gradients(sum(first), [x]);
    expect(beyond(second, [...forward, first]).map((node) => node.made!.role)).toContain(
      "gradient of mul (gradient of exp)",
    );
    const [none] = gradients(total, [fromValues([1], "float32")]);
    expect(none.made!.role).toBe("gradient of constant");
  });
});

describe("sites", () => {
  test("one serves a whole call, another within it stands for itself, and both end with an error too", () => {
    const own = hereSite();
    atOneSite(() => {
      const outer = hereSite();
      expect(hereSite()).toBe(outer);
      expect(atSite(own.with({ role: "a role" }), () => atOneSite(hereSite)).role).toBe("a role");
      expect(hereSite()).toBe(outer);
      expect(() =>
        atSite(own, () => {
          throw new Error("out");
        }),
      ).toThrow("out");
      expect(hereSite()).toBe(outer);
    });
    expect(hereSite().role).toBeUndefined();
    expect(() =>
      inPart("a part", () => {
        throw new Error("out");
      }),
    ).toThrow("out");
    expect(hereSite().part).toBeUndefined();
    expect(inPart("a part", () => inPart("within", hereSite)).part).toBe("within");
  });

  test("in words", () => {
    expect(showPlace({})).toBeUndefined();
    expect(showPlace({ role: "adamW update of 0.weight" })).toBe("adamW update of 0.weight");
    expect(showPlace({ site: "a.ts:1:2", part: "the loss" })).toBe("made at a.ts:1:2, in the loss");
  });

  test("are in no hash and no key", () => {
    const build = (make: (build: () => Node) => Node): Graph =>
      traceGraph({ x: { dtype: "float32", shape: [3] } }, ({ x }) => ({
        outputs: { y: make(() => gradients(sum(exp(x)), [x])[0]) },
      }));
    const plain = build((make) => make());
    const told = build((make) => inPart("elsewhere", () => atSite(hereSite().with({ role: "another role" }), make)));
    expect([graphHash(told), planKey(told)]).toEqual([graphHash(plain), planKey(plain)]);
  });
});

describe("modules", () => {
  const model = withStream(new Stream(1n), () => nn.sequential(nn.linear(2, 3), nn.relu(), nn.linear(3, 1)));
  const parts = (output: Tensor): (string | undefined)[] => {
    const walk = (node: Node): Node[] => [node, ...node.inputs.flatMap(walk)];
    return [...new Set(walk(output.node).map(({ made }) => made?.part))].filter(Boolean);
  };
  const run = () => model.forward(tensor([[1, 2]])) as Tensor;

  test("name the nodes of their forward, by path and class", () => {
    expect(parts(namingModules(model, run))).toEqual([
      "layer 2 (Linear) of Sequential",
      "layer 1 (Activation) of Sequential",
      "layer 0 (Linear) of Sequential",
    ]);
    expect(parts(namingModules(model, run, "mlp"))).toContain("layer 0 (Linear) of mlp");
    expect(parts(run())).toEqual([]);
  });

  test("are as they were afterwards: one whose forward was wrapped, one of two places, one that is frozen, one that throws", () => {
    const shared = withStream(new Stream(1n), () => nn.linear(2, 2));
    const wrapped = withStream(new Stream(1n), () => nn.linear(2, 2));
    const own = { value: wrapped.forward.bind(wrapped), configurable: true, enumerable: false, writable: true };
    Object.defineProperty(wrapped, "forward", own);
    const frozen = nn.relu();
    Object.freeze(frozen);
    const whole = nn.sequential(shared, wrapped, frozen, shared);
    const keys = () => [whole, shared, wrapped, frozen].map((module) => Reflect.ownKeys(module).map(String));
    const before = keys();
    const output = namingModules(whole, () => whole.forward(tensor([[1, 2]])) as Tensor);
    expect(parts(output)).toContain("layer 0 (Linear) of Sequential");
    expect(keys()).toEqual(before);
    expect(wrapped.forward).toBe(own.value);
    expect(() => namingModules(whole, () => whole.forward(tensor([[1, 2, 3]])))).toThrow();
    expect(keys()).toEqual(before);
  });
});
