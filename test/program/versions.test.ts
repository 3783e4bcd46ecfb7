// A variable's versions outside of compiled functions (law 8): what is made of one has its value and its gradients, whatever is assigned and read
// since; gradients end at the version, and don't flow on to what it was made from, as in a compiled function, where state begins anew at each call.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { GradError } from "../../src/core/errors.ts";
import { horizon } from "../../src/graph/ancestry.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { compile } from "../../src/program/compiled.ts";
import * as derivatives from "../../src/program/derivatives.ts";
import { gradients } from "../../src/program/gradients.ts";
import { Parameter, Variable } from "../../src/program/variable.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import * as sg from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

const owner = (variables: Record<string, Variable>) => ({ namedVariables: () => Object.entries(variables) });
setFlagsFromString("--expose-gc");
const gc: () => void = runInNewContext("gc");
const collect = async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  gc();
};

beforeEach(async () => {
  await setDefaultBackend("reference");
  manualSeed(5n);
});

class Pair extends nn.Module {
  readonly G = nn.linear(1, 1);
  readonly D = nn.linear(1, 1);

  override forward(x: Tensor): Tensor {
    return this.D.forward(this.G.forward(x));
  }
}

describe("two optimizers, of which one rests at a step", () => {
  const made = () => {
    manualSeed(5n);
    const pair = new Pair();
    const [byG, byD] = [pair.parameters().slice(0, 2), pair.parameters().slice(2)];
    const [d, g] = [byD, byG].map((each) => optim.sgd(each, { learningRate: 0.1 }));
    return { pair, d, g };
  };
  type Made = ReturnType<typeof made>;
  const step = ({ pair: { G, D }, d, g }: Made, both: boolean) => {
    const loss = D.forward(G.forward(sg.tensor([[1]]))).sum();
    const byD = gradients(loss, d.parameters);
    const byG = gradients(loss.neg(), g.parameters);
    d.update(byD);
    if (both) g.update(byG);
    return byG;
  };

  test.each([true, false])("gradients by the other's parameters are of this step alone; read: %s", async (read) => {
    const [eager, compiled] = [made(), made()];
    const call = [true, false].map((both) =>
      compile(() => step(compiled, both), { state: [compiled.pair, compiled.d, compiled.g] }),
    );
    for (const both of [true, false, true, false, false, true]) {
      const before = read && (await eager.pair.D.weight.array());
      const found = step(eager, both);
      const expected = await Promise.all((await call[both ? 0 : 1]()).map((each) => each.array()));
      if (!both && !read) continue;
      expect(await Promise.all(found.map((each) => each.array()))).toEqual(expected);
      if (before) expect(await found[1].array()).toEqual([-(before as number[][])[0][0]]);
    }
    expect(await eager.pair.G.weight.array()).toEqual(await compiled.pair.G.weight.array());
  });

  test("in one compiled function, a loss that is made after the first update", async () => {
    const both = (all: Made) => {
      const { G, D } = all.pair;
      const fake = G.forward(sg.tensor([[1]]));
      all.d.minimize(D.forward(fake).sum());
      const loss = D.forward(fake).sum();
      const by = gradients(loss, all.g.parameters);
      all.g.update(by);
      return by;
    };
    const all = made();
    const [, byBias] = await compile(() => both(all), { state: [all.pair, all.d, all.g] })();
    expect(await byBias.array()).toEqual(((await all.pair.D.weight.array()) as number[][])[0]);
  });
});

describe("what was asked for isn't there any more: an error, not zeros", () => {
  const assigned = /^gradients: the output was computed from a value that the variable had before it was assigned/;
  const changes: Record<string, (w: Parameter) => unknown> = {
    "a value": (w) => w.assign(w.mul(2)),
    "a loaded one": (w) => w.load(Float32Array.of(1, 2)),
    "an optimizer's step": (w) => optim.sgd([w], { learningRate: 0.1 }).minimize(w.sum()),
    "a compiled call": (w) => compile(() => w.assign(w.mul(2)), { state: [owner({ w })] })(),
  };
  test.each(Object.entries(changes))("the variable was given %s since", async (_, change) => {
    for (const read of [false, true]) {
      const [w, other] = [new Parameter(sg.tensor([2, 3])), new Parameter(sg.tensor([1, 1]))];
      w.label = "0.weight";
      const loss = w.mul(w).mul(other).sum();
      if (read) await loss.item();
      await change(w);
      expect(() => gradients(loss, [w])).toThrow(GradError);
      expect(() => gradients(loss, [w])).toThrow(assigned);
      expect(() => gradients(loss, [w])).toThrow(/0\.weight.*\nHint: ask for gradients before/s);
      expect(() => optim.sgd([other, w], { learningRate: 0.1 }).minimize(loss)).toThrow(assigned);
      // Of the version that it has, and by others.
      expect(await gradients(w.sum(), [w])[0].array()).toEqual([1, 1]);
      expect(await gradients(loss, [other])[0].array()).toEqual([4, 9]);
    }
  });

  test("one that reads a value before and one behind an assignment, compiled too", async () => {
    const w = new Variable(sg.tensor([2]));
    const both = () => {
      const before = w.mul(3);
      w.assign(before);
      return gradients(before.add(w).sum(), [w]);
    };
    expect(both).toThrow(assigned);
    await expect(compile(both, { state: [owner({ w })] })()).rejects.toThrow(assigned);
  });

  test("a pullback is of the values that the function was called with", async () => {
    const w = new Variable(sg.tensor([2]));
    const { vjp } = derivatives.vjp((a: Tensor) => a.mul(a), w);
    w.assign(sg.tensor([100]));
    expect(await vjp(sg.ones([1]))[0].array()).toEqual([4]);
  });

  test("no gradient goes through a compiled function's result, unless something that is asked for lies elsewhere", async () => {
    const [w, x] = [new Variable(sg.tensor([2])), sg.tensor([3])];
    const result = (await compile((a: Tensor) => w.mul(a), { state: [owner({ w })] })(x)) as Tensor;
    for (const loss of [result.sum(), result.mul(2).sum()])
      for (const wanted of [[w], [x], [w, x]])
        expect(() => gradients(loss, wanted)).toThrow(/^gradients: the output comes from a compiled function's result/);
    expect(await gradients(result.mul(x).sum(), [x, w])[0].array()).toEqual([6]);
    expect(await gradients(result.sum(), [result])[0].array()).toEqual([1]);
    expect(await gradients(x.sum(), [w])[0].array()).toEqual([0]);
  });
});

describe("gradients end at a variable", () => {
  /** Of a program whose variables have been read or not, or are a compiled function's state: the same. */
  const everywhere = async (make: () => { program: () => Tensor[]; variables: Record<string, Variable> }) => {
    const read = (list: Tensor[]) => Promise.all(list.map((each) => each.array()));
    manualSeed(5n);
    const traced = make();
    const compiled = await read(await compile(traced.program, { state: [owner(traced.variables)] })());
    for (const first of [false, true]) {
      manualSeed(5n);
      const { program, variables } = make();
      if (first) for (const each of Object.values(variables)) await each.data();
      expect(await read(program())).toEqual(compiled);
    }
    return compiled;
  };

  test("that is a copy of another, made or assigned", async () => {
    const made = () => {
      const online = new Parameter(sg.tensor([3]));
      const target = new Variable(online);
      const other = new Variable(sg.tensor([0]));
      other.assign(online);
      const program = () => gradients(online.mul(target).mul(other).sum(), [online, target, other]);
      return { program, variables: { online, target, other } };
    };
    expect(await everywhere(made)).toEqual([[9], [9], [9]]);
  });

  test("that was assigned in the same program, and only there: the tensor that was assigned has its own", async () => {
    const made = () => {
      const [w, held] = [new Variable(sg.tensor([2])), new Variable(sg.tensor([0]))];
      const program = () => {
        const h = w.mul(3);
        held.assign(h);
        return gradients(h.mul(held).sum(), [w, held, h]);
      };
      return { program, variables: { w, held } };
    };
    expect(await everywhere(made)).toEqual([[18], [6], [6]]);
  });

  test("that is a buffer, made of activations and read by the next evaluation", async () => {
    const mean = (w: Variable) => w.mul(sg.tensor([1, 3])).mean();
    const made = () => {
      const [w, running] = [new Variable(sg.tensor([2, 2])), new Variable(sg.tensor(0))];
      running.assign(running.mul(0.5).add(mean(w).mul(0.5)));
      return { program: () => gradients(mean(w).sub(running), [w]), variables: { w, running } };
    };
    expect(await everywhere(made)).toEqual([[0.5, 1.5]]);
  });

  test("that is an optimizer's slot", async () => {
    const run = async (compiled: boolean) => {
      const [w, v] = [new Parameter(sg.tensor([1])), new Parameter(sg.tensor([2]))];
      const adam = optim.adam([w], { learningRate: 0.5 });
      const once = () => {
        const loss = w.mul(v).square().sum();
        const by = gradients(loss, [v]);
        adam.minimize(loss);
        return by[0];
      };
      const step = compiled ? compile(once, { state: [adam, owner({ v })] }) : once;
      const read: unknown[] = [];
      for (let i = 0; i < 4; i++) read.push(await (await step()).array());
      return read;
    };
    expect(await run(false)).toEqual(await run(true));
  });

  test("however much was assigned to another since: nothing of that is forgotten, since nothing of it is asked for", async () => {
    const [still, moving] = [new Variable(sg.uniform([2])), new Variable(sg.uniform([2]))];
    for (let i = 0; i < horizon.nodes / 512 + 4; i++) {
      let next: Tensor = moving.add(still);
      for (let k = 0; k < 512; k++) next = next.mul(0.999);
      moving.assign(next);
      await moving.data();
    }
    const [by] = gradients(still.mul(moving).sum(), [still]);
    expect(await by.data()).toEqual(await moving.data());
  });

  test("of an output that was read, whose nodes are gone, by a variable that was given memory since", async () => {
    const w = new Variable(sg.zeros([3]));
    w.assign(sg.uniform([3]));
    const loss = w.mul(sg.tensor([1, 2, 3])).sum();
    await loss.item();
    await compile((y: Tensor) => w.add(y), { state: [owner({ w })] })(sg.ones([3]));
    await collect();
    expect(await gradients(loss, [w])[0].array()).toEqual([1, 2, 3]);
  });
});

/** A version of a variable, by its number. */
interface Version {
  readonly of: number;
}

/** A value as it should be: a number, and its derivatives by versions of variables; none are known of what is a gradient itself. */
interface Model {
  readonly value: number;
  readonly by: ReadonlyMap<Version, number> | undefined;
}

interface Cell {
  readonly variable: Variable;
  version: Version;
  value: number;
}

const [cells, most] = [3, 1 << 10];
const index = fc.nat(63);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constantFrom("add", "sub", "mul"), a: index, b: index }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("assign"), a: index, b: index }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("gradient"), a: index, b: index }) },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constantFrom("read", "read variable", "drop", "call"), a: index, b: index }),
  },
);

/** Numbers are integers, small enough for every sum to be exact in any order. */
async function follows(actions: readonly { readonly act: string; readonly a: number; readonly b: number }[]) {
  const variables: Cell[] = Array.from({ length: cells }, (_, i) => ({
    variable: new Variable(sg.tensor(i - 3)),
    version: { of: i },
    value: i - 3,
  }));
  const names = Object.fromEntries(variables.map(({ variable }, i) => [`v${i}`, variable]));
  const looks = compile(() => variables.reduce((sum: Tensor, { variable }) => sum.add(variable), sg.tensor(0)), {
    state: [owner(names)],
  });
  let made: { readonly tensor: Tensor; readonly model: Model }[] = [];
  const operand = (at: number): { readonly tensor: Tensor; readonly model: Model } => {
    const which = at % (cells + made.length);
    if (which >= cells) return made[which - cells];
    const { variable, version, value } = variables[which];
    return { tensor: variable, model: { value, by: new Map([[version, 1]]) } };
  };
  for (const { act, a, b } of actions) {
    const [left, right] = [operand(a), operand(b)];
    const cell = variables[b % cells];
    if (act === "assign") {
      cell.variable.assign(left.tensor);
      cell.version = left.tensor === cell.variable ? cell.version : { of: b % cells };
      cell.value = left.model.value;
    } else if (act === "gradient") {
      const { by } = left.model;
      if (!by) continue;
      const isOld = ({ version }: Cell, i: number) => [...by.keys()].some((each) => each.of === i && each !== version);
      for (const { variable } of variables.filter(isOld))
        expect(() => gradients(left.tensor, [variable])).toThrow(GradError);
      const current = variables.filter((each, i) => !isOld(each, i));
      gradients(
        left.tensor,
        current.map(({ variable }) => variable),
      ).forEach((tensor, i) => {
        made.push({ tensor, model: { value: by.get(current[i].version) ?? 0, by: undefined } });
      });
    } else if (act === "read") expect(await left.tensor.item()).toBe(left.model.value);
    else if (act === "read variable") expect(await cell.variable.item()).toBe(cell.value);
    else if (act === "drop") {
      made = made.filter((_, i) => i % 3 !== a % 3);
      await collect();
    } else if (act === "call")
      expect(await (await looks()).item()).toBe(variables.reduce((sum, { value }) => sum + value, 0));
    else {
      const [x, y] = [left.model, right.model];
      const [value, byX, byY] =
        act === "mul"
          ? [x.value * y.value, y.value, x.value]
          : act === "add"
            ? [x.value + y.value, 1, 1]
            : [x.value - y.value, 1, -1];
      const by = x.by && y.by && new Map<Version, number>();
      for (const [version, each] of x.by ?? []) by?.set(version, each * byX);
      for (const [version, each] of y.by ?? []) by?.set(version, (by.get(version) ?? 0) + each * byY);
      if (Math.abs(value) > most || [...(by?.values() ?? [])].some((each) => Math.abs(each) > most)) continue;
      const tensor = act === "mul" ? left.tensor.mul(right.tensor) : left.tensor[act as "add" | "sub"](right.tensor);
      made.push({ tensor, model: { value: value + 0, by } });
    }
  }
  for (const { tensor, model } of made.reverse()) expect((await tensor.item()) + 0).toBe(model.value);
  for (const { variable, value } of variables) expect((await variable.item()) + 0).toBe(value);
}

test("programs of assignments, reads, calls and gradients in any order follow a model of values at the time of making", async () => {
  await fc.assert(fc.asyncProperty(fc.array(action, { minLength: 6, maxLength: 30 }), follows), {
    seed: 8,
    numRuns: 80,
  });
});
