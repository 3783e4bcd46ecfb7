// Faults planted one by one, in kernels, draws and data: each run is compared with a right one from its folder, and the fault is named.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as e from "../../kernels/expr.ts";
import { isDraws, isFold, isMap, kernelInputs, loopShape } from "../../kernels/kernel.ts";
import { asProduct } from "../../kernels/product.ts";
import { interpretKernel } from "../../src/backend/interpret.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { type DataLoader, dataLoader, type LoadedBatch, type LoaderOptions } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy, type Loss } from "../../src/nn/losses.ts";
import * as optim from "../../src/optim/index.ts";
import { ChainFile, readChain } from "../../src/run/chainfile.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { add, tensor, uniform, where } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import type { Rebuild } from "../../src/train/replay.ts";
import { type Diff, diffReplay, diffRuns } from "../../src/verify/diff.ts";
import { showDiff } from "../../src/verify/show.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import {
  afterwards,
  contracting,
  elementwise,
  exchangeConstant,
  faulty,
  loosenComparisons,
  matmulElements,
  withBody,
} from "../support/faults.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyModel, toyTrainer } from "../support/toy.ts";

interface Plan {
  readonly options?: Partial<TrainerOptions>;
  readonly transform?: (tensors: LoadedBatch["tensors"], indices: LoadedBatch["indices"]) => LoadedBatch["tensors"];
  readonly backend?: string | Backend;
  readonly checkpoint?: TrainerOptions["checkpoint"];
  readonly data?: typeof dataset;
}

const loop = { numSteps: 6 };

/** 70 samples, no two alike. */
const inputs = Float32Array.from({ length: 280 }, (_, i) => ((i * 37) % 281) / 281 - 0.5);
const targets = Int32Array.from({ length: 70 }, (_, i) => (inputs[i * 4] > 0 ? 1 : 0));
const dataset = arrayDataset("toy", {
  inputs: { data: inputs, shape: [70, 4], dtype: "float32" },
  targets: { data: targets, shape: [70], dtype: "int32" },
});
const toyTrain = ({ data = dataset, ...options }: Partial<LoaderOptions> & { data?: typeof dataset } = {}) =>
  dataLoader(data, { batchSize: 16, shuffle: true, ...options });

/** How a side's program is made. */
const program =
  ({ options, transform, data }: Plan): Rebuild =>
  (changes) => ({ trainer: toyTrainer({ loop, ...options, ...changes }), train: toyTrain({ transform, data }) });

async function finished(plan: Plan): Promise<string> {
  const folder = `${temporaryFolder()}/run`;
  const { trainer, train } = program(plan)({
    modelDir: folder,
    backend: plan.backend ?? "reference",
    checkpoint: plan.checkpoint ?? null,
  });
  await trainer.fit(train!);
  return folder;
}

/** Two finished runs compared. */
async function compare(first: Plan, second: Plan): Promise<Diff> {
  const folders = [await finished(first), await finished(second)] as const;
  return diffRuns(folders[0], folders[1], {
    rebuild: [program(first), program(second)],
    backends: [first.backend ?? "reference", second.backend ?? "reference"],
  });
}

/** A right run verified on a backend that goes wrong, and explained. */
async function verifiedOn(backend: Backend, options: Partial<TrainerOptions> = {}): Promise<Diff> {
  const plan = { options };
  const folder = await finished(plan);
  const rebuild = program(plan);
  const found = await verifyRun(folder, { backend, rebuild });
  expect(found.equal).toBe(false);
  return diffReplay(folder, { backend, rebuild });
}

test("each side's program is made once, and what was traced for its facts and graph is run", async () => {
  const made = [0, 0];
  const counted =
    (side: 0 | 1, plan: Plan): Rebuild =>
    (changes) => {
      made[side]++;
      return program(plan)(changes);
    };
  const plans = [{}, { options: { loss: ((x, batch) => crossEntropy(x, batch).mul(2)) satisfies Loss } }];
  const folders = [await finished(plans[0]), await finished(plans[1])] as const;
  const found = await diffRuns(...folders, { rebuild: [counted(0, plans[0]), counted(1, plans[1])] });
  expect(found).toMatchObject({ equal: false, step: 1, roles: ["train", "train"] });
  expect(found.graph.length).toBeGreaterThan(0);
  expect(made).toEqual([1, 1]);
});

describe("a kernel that goes wrong", () => {
  test("contraction in a matmul: named from the folder, by diff and by verify", async () => {
    const backend = faulty((kernel, plan) =>
      !asProduct(kernel)
        ? undefined
        : afterwards(kernel, plan, (out, call) => {
            const { a, b, depth } = matmulElements(kernel, call)!;
            const columns = kernel.shape[1];
            for (let at = 0; at < out.length; at++) {
              let sum = 0;
              for (let k = 0; k < depth; k++)
                sum = Math.fround(a(Math.floor(at / columns), k) * b(k, at % columns) + sum);
              out[at] = sum;
            }
          }),
    );
    for (const found of [await verifiedOn(backend), await compare({}, { backend })]) {
      expect(found).toMatchObject({ equal: false, step: 1, op: { kind: "op", name: "matmul", agrees: "first" } });
      expect(found.cause).toMatchObject({ name: "contraction" });
      expect(found.op!.site).toMatch(/^src\/nn\/linear\.ts:\d+:\d+$/);
      expect(found.op!.ulp).toBeGreaterThan(0);
      expect(found.op!.first).toMatch(/^-?[\d.e-]+ \([0-9a-f]{8}\)$/);
      expect(found.op!.reference).toBe(found.op!.first);
    }
  });

  test("contraction that only fused kernels have", async () => {
    const plain = (body: e.Expr) =>
      e.topological(body).every((expr) => expr.kind !== "unary" || expr.op === "sqrt" || expr.op === "neg") &&
      e
        .topological(body)
        .some(
          (expr) =>
            expr.kind === "binary" &&
            expr.op === "add" &&
            e.children(expr).some((child) => child.kind === "binary" && child.op === "mul"),
        );
    const backend = faulty((kernel, plan) =>
      isMap(kernel) && kernel.dtype === "float32" && plain(kernel.body)
        ? elementwise(kernel, plan, contracting)
        : undefined,
    );
    const found = await verifiedOn(backend);
    expect(found.op).toMatchObject({
      kind: "kernel",
      agrees: "first",
      name: expect.stringMatching(/^kernel \d+, map, that ends in /),
    });
    expect(found.cause).toMatchObject({ name: "contraction" });
  });

  /** Subnormals and zeros of both signs reach the loss. */
  const edges: Loss = (outputs, batch) => {
    const tiny = outputs.mul(1e-20).mul(1e-19);
    const zero = outputs.mul(0);
    const negative = where(tensor(1).div(zero).less(0), 0.001, 0);
    return add(crossEntropy(outputs, batch), tiny.mul(1e36).sum())
      .add(tiny.mul(2e36).max())
      .add(negative.add(zero).sum());
  };
  const change = (from: (x: number) => boolean, to: (x: number) => number): Backend =>
    faulty((kernel, plan) =>
      isMap(kernel) && kernel.dtype === "float32"
        ? afterwards(kernel, plan, (out) => {
            for (let i = 0; i < out.length; i++) if (from(out[i])) out[i] = to(out[i]);
          })
        : undefined,
    );

  test("flushed subnormals", async () => {
    const backend = change(
      (x) => x !== 0 && Math.abs(x) < 2 ** -126,
      (x) => x * 0,
    );
    const found = await verifiedOn(backend, { loss: edges });
    expect(found.cause).toMatchObject({ name: "flushed subnormals" });
    expect(found.op).toMatchObject({ name: "mul", site: expect.stringContaining("diff.test.ts") });
    const line = Number(found.op!.site!.split(":").at(-2));
    expect(readFileSync(new URL(import.meta.url), "utf8").split("\n")[line - 1]).toContain("outputs.mul(1e-20)");
  });

  test("−0 written as +0", async () => {
    const backend = change(
      (x) => Object.is(x, -0),
      () => 0,
    );
    const found = await verifiedOn(backend, { loss: edges });
    expect(found.cause).toMatchObject({ name: "negative zero", detail: "+0 in place of −0" });
    expect(found.op).toMatchObject({ ulp: 1, second: "0 (00000000)", first: "-0 (80000000)" });
  });

  test("a constant changed in the 5th decimal", async () => {
    const backend = faulty(withBody((body) => exchangeConstant(body, 0.9, 0.90001)));
    const found = await verifiedOn(backend);
    expect(found.cause).toEqual({ name: "changed constant", detail: "0.90001 in place of 0.9" });
    // Inside of an elementary function too.
    const tail = 0.16666569;
    const within = faulty(withBody((body) => exchangeConstant(body, tail, tail + 3e-5)));
    const inExp = await verifiedOn(within, {
      model: () => nn.sequential(nn.linear(4, 8), nn.sigmoid(), nn.linear(8, 2)),
    });
    expect(inExp.op!.name).toMatch(/^(exp|sigmoid)$/);
    expect(inExp.cause).toEqual({
      name: "changed constant",
      detail: expect.stringMatching(/^0\.166695\d+ in place of 0\.166665\d+$/),
    });
  });

  /** Whether a sample's first feature is below that of sample 3, which is one of them. */
  const threshold = inputs[12];
  const counting: Loss = (outputs, batch) =>
    crossEntropy(outputs, batch).add(where((batch.inputs as Tensor).less(threshold), 1, 0).mean());

  test("≤ in place of <: named as such, and not as another constant, which would give the same bits", async () => {
    const backend = faulty(withBody(loosenComparisons));
    const found = await verifiedOn(backend, { loss: counting });
    expect(found.cause).toEqual({ name: "changed comparison", detail: "≤ in place of <" });
  });

  test("a constant whose other values give the same bits isn't claimed: what was ruled out is said", async () => {
    const backend = faulty(withBody((body) => exchangeConstant(body, threshold, threshold + 0.02)));
    const found = await verifiedOn(backend, { loss: counting });
    expect(found.cause).toMatchObject({
      name: "unknown",
      detail: expect.stringMatching(/ruled out: .*contraction, changed comparison, changed constant/),
    });
  });

  test.each([
    ["one after another", (terms: number[]) => terms.reduce((sum, x) => Math.fround(sum + x), 0)],
    ["backwards, one after another", (terms: number[]) => terms.reduceRight((sum, x) => Math.fround(sum + x), 0)],
  ])("another order of a sum: %s", async (name, sum) => {
    const backend = faulty((kernel, plan) => {
      if (
        !isFold(kernel) ||
        kernel.fold.combine !== "sum" ||
        kernel.dtype !== "float32" ||
        sizeOf(kernel.fold.reduced) !== 16
      )
        return undefined;
      const terms = { ...kernel, fold: undefined, shape: loopShape(kernel) };
      return afterwards(kernel, plan, (out, call) => {
        const values = new Float32Array(out.length * 16);
        void interpretKernel(terms, plan).run({
          ...call,
          array: (value) => (value === kernel.output ? values : call.array(value)),
        });
        for (let i = 0; i < out.length; i++) out[i] = sum([...values.subarray(16 * i, 16 * i + 16)]);
      });
    });
    // A seed under which the first sum that rounds otherwise has bits that no other cause gives.
    const found = await verifiedOn(backend, { seed: 1, loop: { numSteps: 12 } });
    expect(found.cause).toEqual({ name: "order of a sum", detail: `${name}, in place of the written order` });
    expect(found.op!.name).toBe("sum");
  });

  test("draws moved by 5, and draws of another seed", async () => {
    const moved = (change: (call: Parameters<ReturnType<typeof interpretKernel>["run"]>[0]) => typeof call) =>
      faulty((kernel, plan) => {
        if (!kernelInputs(kernel).some(({ source }) => isDraws(source))) return undefined;
        const runner = interpretKernel(kernel, plan);
        return { where: "faulty", run: (call) => runner.run(change(call)) };
      });
    const shifted = await verifiedOn(moved((call) => ({ ...call, base: call.base + 5 })));
    expect(shifted).toMatchObject({ step: 0, op: { name: "randomWords" } });
    expect(shifted.cause).toEqual({
      name: "draw range",
      detail: expect.stringMatching(/^draws \[5, 37\) of the stream in place of \[0, 32\): 5 draws later$/),
    });
    const seeded = await verifiedOn(moved((call) => ({ ...call, seed: call.seed + 1n })));
    expect(seeded.cause).toEqual({ name: "another seed", detail: "draws of seed 8 in place of 7" });
  });

  test("what fits nothing is unknown", async () => {
    const backend = faulty((kernel, plan) =>
      asProduct(kernel)
        ? afterwards(kernel, plan, (out) => {
            out[out.length - 1] += 0.0123;
          })
        : undefined,
    );
    const found = await verifiedOn(backend);
    expect(found.cause).toMatchObject({ name: "unknown" });
    expect(found.op).toMatchObject({ name: "matmul", count: 1 });
  });

  test("a NaN's payload is no difference in any hash; where a record holds one, it is named", async () => {
    const word = new Float32Array(new Uint32Array([0xffc12345]).buffer)[0];
    const payload = change(Number.isNaN, () => word);
    const loss: Loss = (outputs, batch) =>
      crossEntropy(outputs, batch).add(where(tensor(0).div(outputs.mul(0).sum()).less(1), 1, 0));
    const folder = await finished({ options: { loss } });
    const rebuild = program({ options: { loss } });
    expect((await verifyRun(folder, { rebuild, backend: payload })).equal).toBe(true);

    const other = await finished({ options: { loss } });
    const path = `${other}/chain.bin`;
    const links = readChain(path);
    const recorded = (bits: number, flip: number) =>
      links.map((link) =>
        link.step < 4 ? link : { ...link, lossBits: bits, hash: link.hash.map((byte) => byte ^ flip) },
      );
    new ChainFile(path).replace(recorded(0xffc12345, 1));
    new ChainFile(`${folder}/chain.bin`).replace(recorded(0x7fc00000, 2));
    const found = await diffRuns(folder, other, { rebuild: [rebuild, rebuild] });
    expect(found.cause).toMatchObject({ name: "NaN payload" });
  });
});

/** A model with lines of its own. */
class Own extends nn.Module {
  readonly first = nn.linear(4, 8);
  readonly second = nn.linear(8, 2);

  override forward(inputs: Tensor): Tensor {
    const hidden = this.first.forward(inputs);
    const length = hidden.mul(hidden).add(1).sqrt();
    return this.second.forward(length);
  }
}

describe("where it was made", () => {
  const source = readFileSync(new URL(import.meta.url), "utf8").split("\n");
  const lineOf = ({ op }: Diff) => {
    expect(op!.site).toContain("diff.test.ts");
    return source[Number(op!.site!.split(":").at(-2)) - 1];
  };
  const model = () => new Own();

  test("a fault in the backward pass names the forward line of the user's model, and its layer", async () => {
    const weight = faulty((kernel, plan) =>
      asProduct(kernel) && kernel.shape.join() === "4,8"
        ? afterwards(kernel, plan, (out) => {
            out[3] += 0.5;
          })
        : undefined,
    );
    const found = await verifiedOn(weight, { model });
    expect(found.op).toMatchObject({
      name: "matmul",

      role: "gradient of matmul",
      part: "layer first (Linear) of Own",
    });
    expect(lineOf(found)).toContain("this.first.forward(inputs)");
    const { site } = found.op!;
    expect(showDiff(found)).toContain(`  gradient of matmul at ${site}, in layer first (Linear) of Own`);
  });

  test("a constant of a derivative: the line whose derivative it is", async () => {
    const exchange = withBody((body) => exchangeConstant(body, 0.5, 0.50001));
    const backend = faulty((kernel, plan) => (kernel.shape.join() === "16,8" ? exchange(kernel, plan) : undefined));
    const found = await verifiedOn(backend, { model });
    expect(found.op).toMatchObject({ role: "gradient of sqrt", part: "Own" });
    expect(lineOf(found)).toContain("hidden.mul(hidden).add(1).sqrt()");
  });

  test("an update: which parameter's, and where its optimizer was made", async () => {
    const optimizer = (of: nn.Module) => optim.adamW(of.parameters(), { learningRate: 0.01 });
    const backend = faulty(withBody((body) => exchangeConstant(body, 0.999, 0.9991)));
    const found = await verifiedOn(backend, { optimizer });
    expect(found.op!.role).toMatch(/^adamW update of \d\.(weight|bias)$/);
    expect(lineOf(found)).toContain("optim.adamW(of.parameters()");
    expect(found.op!.part).toBeUndefined();
  });

  test("a first value: which variable's, and the line that made its layer", async () => {
    const layers = () => nn.sequential(nn.linear(4, 8), nn.linear(8, 2));
    const found = await compare({ options: { model: layers } }, { options: { model: layers, seed: 9 } });
    expect(found.op).toMatchObject({ role: "first value of parameter/0.weight" });
    expect(lineOf(found)).toContain("nn.sequential(nn.linear(4, 8)");
  });
});

describe("a program or its data that isn't the same", () => {
  test("another seed", async () => {
    const found = await compare({}, { options: { seed: 8 } });
    expect(found.facts.find(({ what }) => what === "seed")).toMatchObject({ first: "7", second: "8" });
    expect(found).toMatchObject({
      equal: false,
      step: 0,
      op: { name: "randomWords" },
      cause: { name: "another seed" },
    });
  });

  test("a model that draws one more number first", async () => {
    const model = () => {
      uniform([1]);
      return toyModel();
    };
    const found = await compare({}, { options: { model } });
    expect(found).toMatchObject({ step: 0, op: { name: "randomWords", agrees: "both" } });
    expect(found.cause).toEqual({
      name: "draw range",
      detail: "draws [1, 33) of the stream in place of [0, 32): 1 draw later",
    });
  });

  test("a constant of the optimizer in the 5th decimal; its learning rate", async () => {
    const optimizer = (learningRate: number, beta: number) => (model: nn.Module) =>
      optim.adamW(model.parameters(), { learningRate, betas: [beta, 0.999] });
    const beta = await compare(
      { options: { optimizer: optimizer(0.01, 0.9) } },
      { options: { optimizer: optimizer(0.01, 0.90001) } },
    );
    expect(beta.graph.map(({ what }) => what)).toEqual(Array(8).fill(["value"]));
    expect(beta.cause).toEqual({ name: "changed constant", detail: "value 0.90001 in place of 0.9" });
    const rate = await compare(
      { options: { optimizer: optimizer(0.01, 0.9) } },
      { options: { optimizer: optimizer(0.01001, 0.9) } },
    );
    expect(rate.facts.map(({ what }) => what)).toEqual(["groups/0/learningRate", "groups/1/learningRate"]);
    expect(rate.cause!.name).toBe("changed constant");
    expect(rate.op).toMatchObject({ kind: "input", name: expect.stringMatching(/^scalar\//) });
  });

  test("a rate that changes from step 4 on: the step at which it was given, and the number that was put back to make sure", async () => {
    const optimizer = (model: nn.Module) => optim.adamW(model.parameters(), { learningRate: 0.01 });
    const schedulers = (later: number) => [
      optim.lambdaLR({ initialLearningRate: 0.01, lambda: (step: number) => (step >= 3 ? later : 1) }),
    ];
    const found = await compare(
      { options: { optimizer, schedulers: schedulers(1) } },
      { options: { optimizer, schedulers: schedulers(1.001) } },
    );
    expect(found).toMatchObject({ step: 4, chain: { step: 4, kind: "given" } });
    expect(found.chain!.first).toContain("groups/0/learningRate 0.00999");
    expect(found.op).toMatchObject({ kind: "input", name: expect.stringMatching(/^scalar\//) });
    expect(found.cause!.name).toBe("changed constant");
  });

  test("one value of the training data: the step that first reads it, its row and element, though the chains differ from their beginning", async () => {
    const other = inputs.slice();
    other[4 * 33 + 2] += 0.25;
    const data = arrayDataset("toy", {
      inputs: { data: other, shape: [70, 4], dtype: "float32" },
      targets: { data: targets, shape: [70], dtype: "int32" },
    });
    const found = await compare({}, { data });
    expect(found).toMatchObject({ equal: false, chain: { step: 1, kind: "origin" } });
    expect(found.facts.map(({ what }) => what)).toEqual(["data toy/inputs"]);
    expect(found.op).toMatchObject({ kind: "input", name: expect.stringContaining("inputs"), count: 1 });
    expect(found.op!.element[1]).toBe(2);
    expect(found.cause).toMatchObject({ name: "data row", detail: expect.stringContaining("33") });
    // Shuffled, sample 33 comes in the last batch of the first epoch.
    expect(found.step).toBe(4);
  });

  const swap =
    (from: number, to: number, all = true): Plan["transform"] =>
    (tensors, indices) =>
      Object.fromEntries(
        Object.entries(tensors).map(([name, array]) => {
          const width = array.data.length / indices.length;
          const data = array.data.slice();
          data.copyWithin(from * width, to * width, (to + 1) * width);
          if (all) data.set(array.data.subarray(from * width, (from + 1) * width), to * width);
          return [name, { ...array, data }];
        }),
      );

  test("two rows of a batch swapped, one doubled, one of another sample", async () => {
    const swapped = await compare({}, { transform: swap(2, 5) });
    expect(swapped.step).toBe(1);
    expect(swapped.op).toMatchObject({ kind: "input", name: expect.stringMatching(/^argument\//) });
    expect(swapped.cause).toEqual({
      name: "data row",
      detail: expect.stringMatching(/^rows 2 and 5 are swapped \(samples \d+ and \d+\)$/),
    });
    const doubled = await compare({}, { transform: swap(2, 5, false) });
    expect(doubled.cause).toEqual({
      name: "data row",
      detail: expect.stringMatching(/^row 2 of the second is row 5 of the first/),
    });
    const whole = [
      ...(toyTrain({ shuffle: false, batchSize: 70 }).batches({ seed: 7n, offset: 0 }) as Iterable<LoadedBatch>),
    ][0];
    const sample = 69;
    const other = await compare(
      {},
      {
        transform: (tensors, indices) =>
          Array.from(indices).includes(sample)
            ? tensors
            : Object.fromEntries(
                Object.entries(tensors).map(([name, array]) => {
                  const width = array.data.length / indices.length;
                  const data = array.data.slice();
                  data.set(whole.tensors[name].data.subarray(sample * width, (sample + 1) * width), 3 * width);
                  return [name, { ...array, data }];
                }),
              ),
      },
    );
    expect(other.cause).toEqual({
      name: "data row",
      detail: expect.stringMatching(/^row 3 of the second is sample 69, and should be sample \d+$/),
    });
  });

  test("a loader whose draws moved, or come from another seed, or whose samples are in another order", async () => {
    const loaders = (change: (loader: DataLoader) => Partial<DataLoader>) => {
      const loader = toyTrain();
      const again: Rebuild = (changes) => ({
        trainer: toyTrainer({ loop, ...changes }),
        train: { ...loader, ...change(loader) },
      });
      return again;
    };
    const found = async (change: (loader: DataLoader) => Partial<DataLoader>) => {
      const folder = `${temporaryFolder()}/run`;
      const other = loaders(change);
      const { trainer, train } = other({ modelDir: folder, checkpoint: null });
      await trainer.fit(train!);
      const backends = ["reference", "reference"] as const;
      return (await diffRuns(await finished({}), folder, { rebuild: [program({}), other], backends })).cause;
    };
    const moved = await found(({ batches }) => ({
      batches: ({ seed, offset }, start) => batches({ seed, offset: offset + 3 }, start),
    }));
    expect(moved).toMatchObject({ name: "draw range", detail: expect.stringMatching(/: 3 draws later$/) });
    const seeded = await found(({ batches }) => ({
      batches: ({ seed, offset }, start) => batches({ seed: seed + 1n, offset }, start),
    }));
    expect(seeded).toEqual({ name: "another seed", detail: "samples in the order of seed 8 in place of 7" });
    const reordered = await found(({ batches }) => ({
      *batches(epoch, start) {
        for (const { tensors, indices } of batches(epoch, start) as Iterable<LoadedBatch>)
          yield { tensors, indices: Array.from(indices).reverse() };
      },
    }));
    expect(reordered).toEqual({ name: "data row", detail: "the same samples in another order" });
  });

  test("values of no sample are unknown", async () => {
    const found = await compare(
      {},
      {
        transform: (tensors) => ({
          ...tensors,
          inputs: { ...tensors.inputs, data: tensors.inputs.data.map((x) => x + 0.5) as Float32Array },
        }),
      },
    );
    expect(found.cause).toMatchObject({ name: "unknown", detail: expect.stringContaining("no sample") });
  });

  test("another model: where the graphs differ, node by node", async () => {
    const gelu = () => nn.sequential(nn.linear(4, 8), nn.gelu(), nn.dropout(0.2), nn.linear(8, 2));
    const found = await compare({}, { options: { model: gelu } });
    expect(found.graph.length).toBeGreaterThan(0);
    const told = showDiff(found).join("\n");
    expect(told).toContain("relu");
    expect(told).toContain("gelu");
    expect(found.cause).toMatchObject({ name: "another program" });
  });
});

describe("a program that isn't the recorded one any more", () => {
  const gelu = {
    options: { model: () => nn.sequential(nn.linear(4, 8), nn.gelu(), nn.dropout(0.2), nn.linear(8, 2)) },
  };

  test("against another run: said with both hashes, and where the recorded graphs differ, node by node", async () => {
    const [folder, other] = [await finished({}), await finished({ options: { seed: 8 } })];
    const { train } = readManifest(`${folder}/manifest.json`).graphs;
    const found = await diffRuns(folder, other, { rebuild: [program(gelu), program({ options: { seed: 8 } })] });
    expect(found.cause).toMatchObject({ name: "another program" });
    expect(found.cause!.detail).toContain(`graph: recorded ${train}`);
    expect(found.op).toBeUndefined();
    // The recorded graphs are of one program under two seeds.
    expect(found.graph).toEqual([]);
  });

  test("against its own program: node by node", async () => {
    const folder = await finished({});
    const found = await diffReplay(folder, { rebuild: program(gelu) });
    expect(found.cause).toMatchObject({ name: "another program" });
    const told = showDiff(found).join("\n");
    expect(told).toMatch(/maximum|relu|select|max/);
    expect(told).toContain("gelu");
  });

  test("data that changed since", async () => {
    const folder = await finished({});
    const other = await finished({ options: { seed: 8 } });
    const data = arrayDataset("toy", {
      inputs: { data: inputs.map((x) => x + 1), shape: [70, 4], dtype: "float32" },
      targets: { data: targets, shape: [70], dtype: "int32" },
    });
    const found = await diffRuns(folder, other, { rebuild: [program({ data }), program({ options: { seed: 8 } })] });
    expect(found.cause!.detail).toMatch(/can't be made again as it was: data toy\/inputs: recorded/);
  });
});

describe("a fault that comes late", () => {
  /** From a position in the stream on, a matmul of the training step is wrong. */
  const late = (position: number) =>
    faulty((kernel, plan) =>
      asProduct(kernel) && plan.draws > 0
        ? afterwards(kernel, plan, (out, { base }) => {
            if (base >= position) out[0] += 0.5;
          })
        : undefined,
    );

  test("the step, by bisection, and from the checkpoint before it, or from the beginning", async () => {
    const a = await finished({ checkpoint: { steps: 1 } });
    const backend = late(readChain(`${a}/chain.bin`)[2].position);
    const b = await finished({ checkpoint: { steps: 1 }, backend });
    const again = { rebuild: [program({}), program({})] as const, backends: ["reference", "wasm"] as const };
    // Replayed on right backends, the two are the same: the fault was where it was recorded.
    const right = await diffRuns(a, b, again);
    expect(right).toMatchObject({ chain: { step: 4 }, cause: { name: "unknown" } });
    expect(right.notes.join()).toContain(`${b} doesn't come to what it recorded at step 4`);
    const found = await diffRuns(a, b, { ...again, backends: ["reference", backend] });
    expect(found.step).toBe(4);
    expect(found.op).toMatchObject({ kind: "op", name: "matmul" });
  });
});

describe("runs that are the same", () => {
  test("on other backends, in other folders", async () => {
    const found = await compare({}, { backend: "wasm" });
    expect(found).toMatchObject({ equal: true, facts: [] });
    expect(showDiff(found).at(-1)).toBe("the same");
  });
});

test("what is neither a run nor a config", async () => {
  await expect(diffRuns("no/such", "none")).rejects.toThrow(ConfigError);
  const folder = await finished({});
  const chain = `${folder}/chain.bin`;
  new ChainFile(chain).replace(readChain(chain).map((link) => ({ ...link, hash: link.hash.map((byte) => byte ^ 1) })));
  const found = await diffRuns(folder, await finished({}));
  expect(found.notes.join()).toContain("made in code");
  expect(found).toMatchObject({ equal: false, chain: { step: 1, kind: "origin" }, cause: { name: "unknown" } });
  const tampered = await diffRuns(folder, await finished({}), { rebuild: [program({}), program({})] });
  expect(tampered.notes.join("\n")).toMatch(
    /doesn't come to what it recorded at step 1[\s\S]*comes to what it recorded at step 1/,
  );
});
