// jax-js on its wasm backend as a peer. Its arrays are counted by hand: an operand is used up unless it is taken by `.ref`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fillAll, learningRate, momentum, type Workload } from "../workloads.ts";
import { Cannot, type Loose, type PeerRun, serve } from "./serve.ts";

(globalThis as Loose).navigator ??= {};
const name = "@jax-js/jax";
const {
  numpy: np,
  nn,
  random,
  jit,
  valueAndGrad,
  tree,
  init,
  defaultDevice,
  lax,
  scipySpecial,
}: Loose = await import(name);
await init("wasm");
defaultDevice("wasm");
const home = createRequire(import.meta.url)
  .resolve(name)
  .replace(/[\\/]dist[\\/].*$/, "");
const { version } = JSON.parse(readFileSync(`${home}/package.json`, "utf8")) as { version: string };

type Make = (...operands: Loose[]) => Loose;

/** Ops that go by another name there. */
const named: Readonly<Record<string, Make | undefined>> = {
  sub: np.subtract,
  mul: np.multiply,
  div: np.divide,
  neg: np.negative,
  gelu: (x: Loose) => nn.gelu(x, { approximate: false }),
};

const definite = (x: Loose) => {
  const size = x.shape[2];
  return np.matmul(x.ref, np.matrixTranspose(x)).add(np.eye(size).mul(size));
};
/** Both parts of a transform. */
const pair = ({ real, imag }: Loose) => np.stack([real, imag], -1);

/** What cases/families.ts computes, by the same names: what there are operations for. */
const families: Readonly<Record<string, Make | undefined>> = {
  conv1d: (x, filters) => lax.conv(x, filters, [1], "SAME"),
  depthwise: (x, filters) => lax.convGeneralDilated(x, filters, [1, 1], "SAME", { featureGroupCount: 64 }),
  "max-pool2d": (x) => lax.reduceWindow(x, np.max, [2, 2], [2, 2]),
  "average-pool2d": (x) => lax.reduceWindow(x, np.mean, [3, 3], [2, 2]),
  sort: (x) => np.sort(x, -1),
  "top-k": (x) => lax.topK(x, 10)[0],
  cumsum: (x) => np.cumsum(x, 1),
  prod: (x) => np.prod(x, 1),
  "log-sum-exp": (x) => nn.logsumexp(x, 1),
  cholesky: (x) => np.linalg.cholesky(definite(x)),
  solve: (a, b) => np.linalg.solve(definite(a), b),
  fft: (x) => pair(np.fft.fft({ real: x.ref.slice([], [], 0), imag: x.slice([], [], 1) })),
  rfft: (x) => pair(np.fft.rfft(x)),
  einsum: (a, b, c) => np.einsum("bij,bjk,bk->bi", a, b, c),
};

function programOf(workload: Workload): Make {
  switch (workload.kind) {
    case "matmul": {
      const { form } = workload;
      const turn = (x: Loose) => np.matrixTranspose(x);
      return (a, b) => np.matmul(form === "tn" ? turn(a) : a, form === "nt" ? turn(b) : b);
    }
    case "conv2d":
      return (x, filters) => lax.conv(x, filters, [1, 1], "SAME");
    case "elementwise": {
      const apply = named[workload.op] ?? np[workload.op] ?? nn[workload.op] ?? scipySpecial[workload.op];
      if (!apply) throw new Cannot(`no op ${workload.op}`);
      return apply;
    }
    case "chain":
      return (a, b) => np.maximum(np.multiply(np.add(np.multiply(a.ref, b.ref), a).sub(0.5), b), 0);
    case "sum":
      return (x) => (workload.axis === "all" ? np.sum(x) : np.sum(x, workload.axis));
    case "softmax":
      return (x) => nn.softmax(x, -1);
    case "layerNorm":
      return (x) => nn.standardize(x, -1);
    case "gather":
      return (table, indices) => np.take(table, indices, 0);
    case "uniform":
      return () => random.uniform(random.key(0), [workload.count]);
    case "permutation":
      return () => random.permutation(random.key(0), workload.count);
    case "normal":
      return () => random.normal(random.key(0), [workload.count]);
    case "family": {
      const program = families[workload.name];
      if (!program) throw new Cannot(`no program for ${workload.name}`);
      return program;
    }
    default:
      throw new Cannot(`no ${workload.kind}`);
  }
}

/** A step by hand, since there is no trainer: the same layers, dropout and optimizer. */
function perceptron({ sizes, dropout, batch, optimizer }: Extract<Workload, { kind: "mlp" }>): PeerRun {
  if (optimizer === "adamW") throw new Cannot("asked for SGD and Adam only");
  const rate = learningRate[optimizer];
  const shapes = sizes.slice(1).flatMap((size, i) => [[sizes[i], size], [size]]);
  const slots = optimizer === "sgd" ? 1 : 2;
  let parameters: Loose[] = shapes.map((shape, i) =>
    shape.length === 2 ? random.normal(random.key(i), shape).mul(0.05) : np.zeros(shape),
  );
  let state: Loose[][] = Array.from({ length: slots }, () => shapes.map((shape) => np.zeros(shape)));
  let key: Loose = random.key(1);
  const loss = (p: Loose[], keys: Loose[], x: Loose, y: Loose) => {
    let h = x;
    for (let i = 0; i < p.length; i += 2) {
      h = np.matmul(h, p[i]).add(p[i + 1]);
      if (i + 2 >= p.length) break;
      h = nn.relu(h);
      if (dropout === 0) continue;
      const keep = random.bernoulli(keys[i / 2], 1 - dropout, [batch, sizes[i / 2 + 1]]);
      h = np.where(keep, h.mul(1 / (1 - dropout)), 0);
    }
    return nn
      .logSoftmax(h)
      .mul(y)
      .sum()
      .mul(-1 / batch);
  };
  const hidden = dropout > 0 ? sizes.length - 2 : 0;
  const step = jit((p: Loose[], s: Loose[][], seed: Loose, x: Loose, y: Loose) => {
    const split = random.split(seed, hidden + 1);
    const keys = Array.from({ length: hidden }, (_, i) => split.ref.slice(i + 1));
    const [value, gradients] = valueAndGrad((weights: Loose[]) => loss(weights, keys, x, y))(tree.ref(p));
    const next: Loose[] = [];
    const kept: Loose[][] = s.map(() => []);
    p.forEach((parameter, i) => {
      const g = gradients[i];
      if (optimizer === "sgd") {
        const m = s[0][i].mul(momentum).add(g);
        kept[0].push(m.ref);
        next.push(parameter.sub(m.mul(rate)));
        return;
      }
      const m = s[0][i].mul(0.9).add(g.ref.mul(0.1));
      const v = s[1][i].mul(0.999).add(g.ref.mul(g).mul(0.001));
      kept[0].push(m.ref);
      kept[1].push(v.ref);
      next.push(parameter.sub(m.mul(rate).div(np.sqrt(v).add(1e-8))));
    });
    return [value, next, kept, split.slice(0)];
  });
  const x = random.normal(random.key(9), [batch, sizes[0]]);
  const y = nn.oneHot(np.array(Array.from({ length: batch }, (_, i) => i % 10)).astype(np.int32), 10);
  return {
    run: async () => {
      const [value, next, kept, following] = step(parameters, state, key, x.ref, y.ref);
      parameters = next;
      state = kept;
      key = following;
      await value.data();
    },
  };
}

await serve({
  version: `jax-js ${version}`,
  prepare(workload) {
    if (workload.kind === "gpt" || workload.kind === "cnn" || workload.kind === "lstm")
      throw new Cannot("no layers, no trainer: the model would have to be written for it");
    if (workload.kind === "mlp") return perceptron(workload);
    const program = jit(programOf(workload));
    const operands: Loose[] = fillAll(workload).map(({ data, shape }) => np.array(data).reshape([...shape]));
    const fresh = () => program(...operands.map((operand) => operand.ref));
    const isRandom = ["uniform", "normal", "permutation"].includes(workload.kind);
    return {
      run: async () => {
        const result = await fresh().blockUntilReady();
        result.dispose();
      },
      ...(!isRandom && { result: () => fresh().data() }),
      dispose: () => {
        for (const operand of operands) operand.dispose();
      },
    };
  },
});
