// TensorFlow.js as a peer: `tfjs.ts wasm` or `tfjs.ts cpu`.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fillAll, learningRate, momentum, type Workload } from "../workloads.ts";
import { Cannot, type Loose, type PeerRun, serve } from "./serve.ts";

const backend = process.argv[2];
const require = createRequire(import.meta.url);
const load = async (name: string): Promise<Loose> => import(name);
const tf = await load("@tensorflow/tfjs-core");
await load("@tensorflow/tfjs-backend-cpu");
const { setWasmPaths } = await load("@tensorflow/tfjs-backend-wasm");
const { sequential, layers } = await load("@tensorflow/tfjs-layers");
setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"))}/dist/`);
await tf.setBackend(backend);
await tf.ready();

type Make = (...operands: Loose[]) => Loose;

const gelu: Make = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
function programOf(workload: Workload): Make {
  switch (workload.kind) {
    case "matmul":
      return (a, b) => tf.matMul(a, b, workload.form === "tn", workload.form === "nt");
    case "elementwise":
      if (workload.op === "gelu") return gelu;
      if (!tf[workload.op]) throw new Cannot(`no op ${workload.op}`);
      return tf[workload.op];
    case "chain":
      return (a, b) => tf.maximum(tf.mul(tf.sub(tf.add(tf.mul(a, b), a), 0.5), b), 0);
    case "sum":
      return (x) => (workload.axis === "all" ? tf.sum(x) : tf.sum(x, workload.axis));
    case "softmax":
      return (x) => tf.softmax(x);
    case "layerNorm":
      return (x) => {
        const { mean, variance } = tf.moments(x, -1, true);
        return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)));
      };
    case "gather":
      return (table, indices) => tf.gather(table, indices);
    case "scatter": {
      const { rows, columns, count } = workload;
      return (indices, updates) => tf.scatterND(tf.reshape(indices, [count, 1]), updates, [rows, columns]);
    }
    case "uniform":
      return () => tf.randomUniform([workload.count]);
    case "normal":
      return () => tf.randomNormal([workload.count]);
    default:
      throw new Cannot(`no ${workload.kind}`);
  }
}

function perceptron({ sizes, dropout, batch, optimizer }: Extract<Workload, { kind: "mlp" }>): PeerRun {
  const model = sequential();
  for (let i = 1; i < sizes.length; i++) {
    const last = i === sizes.length - 1;
    if (i > 1 && dropout > 0) model.add(layers.dropout({ rate: dropout }));
    model.add(
      layers.dense({
        units: sizes[i],
        activation: last ? "softmax" : "relu",
        ...(i === 1 && { inputShape: [sizes[0]] }),
      }),
    );
  }
  if (optimizer === "adamW") throw new Cannot("no AdamW");
  const rule = optimizer === "sgd" ? tf.train.momentum(learningRate.sgd, momentum) : tf.train.adam(learningRate.adam);
  model.compile({ optimizer: rule, loss: "categoricalCrossentropy" });
  const x = tf.randomNormal([batch, sizes[0]]);
  const y = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: batch }, (_, i) => i % 10),
      "int32",
    ),
    10,
  );
  return { run: () => model.trainOnBatch(x, y), dispose: () => tf.dispose([x, y]) };
}

function convolutional({ channels, extent, classes, batch }: Extract<Workload, { kind: "cnn" }>): PeerRun {
  const model = sequential();
  channels.forEach((filters, i) => {
    const first = i === 0 && { inputShape: [extent, extent, 1] };
    model.add(layers.conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu", ...first }));
    model.add(layers.maxPooling2d({ poolSize: 2 }));
  });
  model.add(layers.flatten());
  model.add(layers.dense({ units: classes, activation: "softmax" }));
  model.compile({ optimizer: tf.train.adam(learningRate.adam), loss: "categoricalCrossentropy" });
  const x = tf.randomNormal([batch, extent, extent, 1]);
  const y = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: batch }, (_, i) => i % classes),
      "int32",
    ),
    classes,
  );
  return { run: () => model.trainOnBatch(x, y), dispose: () => tf.dispose([x, y]) };
}

/** Images with channels last, as it wants them: the same work, other bits. */
function convolution({ batch, inputs, outputs, extent }: Extract<Workload, { kind: "conv2d" }>): PeerRun {
  const x = tf.randomNormal([batch, extent, extent, inputs]);
  const filters = tf.randomNormal([3, 3, inputs, outputs]);
  return { run: () => tf.dispose(tf.conv2d(x, filters, 1, "same")), dispose: () => tf.dispose([x, filters]) };
}

await serve({
  version: `tfjs ${tf.version_core}`,
  prepare(workload) {
    if (workload.kind === "gpt")
      throw new Cannot(
        backend === "wasm"
          ? "the wasm backend has no UnsortedSegmentSum, the gradient of an embedding"
          : "too slow to wait for",
      );
    if (workload.kind === "lstm") throw new Cannot("too slow to wait for");
    if (workload.kind === "mlp") return perceptron(workload);
    if (workload.kind === "cnn") return convolutional(workload);
    if (workload.kind === "conv2d") return convolution(workload);
    const program = programOf(workload);
    const operands = fillAll(workload).map(({ data, shape }) =>
      tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32"),
    );
    const random = workload.kind === "uniform" || workload.kind === "normal";
    return {
      run: () => tf.dispose(tf.tidy(() => program(...operands))),
      ...(!random && {
        result: () => {
          const result = tf.tidy(() => program(...operands));
          const data = result.dataSync();
          result.dispose();
          return data;
        },
      }),
      dispose: () => tf.dispose(operands),
    };
  },
});
