// Every public function and constructor outside the ops refuses wrong arguments with a typed error, or is on the list of what is meant. What
// is exported and stands neither in the table nor among the exceptions fails. The ops are test/tensor/calls.test.ts's, methods methods.test.ts's.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { type Accepted, call, notRefused, outcome, type RightCall, type Untyped } from "../support/arguments.ts";
import { loader, none, reads, trainer, trainerOptions, x } from "../support/right.ts";

const { nn, losses, optim, data } = sg;
const classes = () => sg.tensor([0, 1], "int32");
const idx = () => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7);
const parameters = () => nn.linear(2, 2).parameters();
const dataset = () =>
  data.arrayDataset("d", { inputs: { data: new Float32Array(4), shape: [2, 2], dtype: "float32" } });
const folder = mkdtempSync(join(tmpdir(), "arguments-"));
const schedule = () => optim.constantLR({ learningRate: 0.1, totalIters: 2 });
const decay = () => optim.constantWD({ val: 0.1, totalIters: 2 });

const optimizer = (options: object = {}) =>
  call(() => [parameters(), { learningRate: 0.1, ...options }], 2, { requiredKeys: ["learningRate"] });
const betas = { betas: [0.9, 0.99], epsilon: 1e-8 };
const common = { weightDecay: 0.1, decayAll: true, maximize: true };
const form = (options: object, optional: readonly string[] = []) =>
  call(() => [{ ...options, paramGroupTags: "a" }], 1, {
    requiredKeys: Object.keys(options).filter((key) => !optional.includes(key)),
  });
const lossOf = (targets: () => sg.Tensor, options?: object) =>
  call(() => [x(), { targets: targets() }, ...(options ? [options] : [])], 2, { requiredKeys: ["targets"] });

const recurrent = () => ({ layers: 2, bidirectional: true, dropout: 0.5, bias: true });
const reduction = "sum";
const pair = (count: number) => sg.ones([2, count, 3]);

const config = () => sg.parseConfig(configText(), "run.yaml");
const configText = () => `trainer:
  init:
    seed: 1
    model: { name: gpt, vocabulary: 3, context: 2, width: 2, heads: 1, layers: 1 }
    loop: { num_steps: 1 }
`;
const overrides = () => ({
  seed: 1n,
  modelDir: "runs/a",
  maxSteps: 1,
  backend: "wasm",
  threads: 1,
  deterministic: "warn",
});
const table = (): sg.data.CsvTable => Object.create(data.parseCsv("d.csv", "a,b\n1,2\n"));
const csvOptions = () => ({ inputs: ["a"], target: "b", missing: { texts: [""], value: 0 } });
const graph = () => ({
  seed: 1n,
  inputs: [],
  outputs: [{ name: "x", node: x().node }],
  watched: [],
  state: [],
  draws: 0,
  base: 0,
});
const hash = "0".repeat(64);
const replays = () => ({ backend: "reference", threads: 1, rebuild: () => 0, from: 0, own: true });
const opProof = () => ({
  format: "seedgrad/op/1",
  step: 1,
  graph: "",
  graphHash: hash,
  link: { hash, previous: hash, position: 0, batch: "", given: "", loss: "00000000" },
  root: hash,
  operands: [],
  result: { value: 0, sha256: hash, data: "", path: [] },
});
const path = () => ({ index: 0, count: 1, path: [] });
let registered = 0;

/** Of what has options alone, all of which may be left out but `requiredKeys`. */
const options = (given: object, requiredKeys?: readonly string[]) =>
  call(() => [given], requiredKeys ? 1 : 0, { requiredKeys });
/** A schedule of the learning rate and of the weight decay. */
function both(
  name: string,
  rate: object,
  decayed: object,
  optional: readonly string[] = [],
): Record<string, RightCall> {
  return { [`optim.${name}LR`]: form(rate, optional), [`optim.${name}WD`]: form(decayed, optional) };
}

const windows = { stride: 1, padding: 1, dilation: 1 };
/** A layer's class and the function that makes it. */
const layer = (name: string, args: readonly unknown[], required = args.length, more = {}) => {
  const right = call(() => args, required, more);
  return { [`nn.${name}`]: right, [`nn.${name[0].toUpperCase()}${name.slice(1)}`]: right };
};
const imageLayers: Record<string, RightCall> = Object.assign(
  {},
  ...[1, 2, 3].flatMap((rank) => [
    layer(`conv${rank}d`, [2, 4, 3, { ...windows, groups: 2, bias: true, init: "zeros" }], 3),
    layer(
      `convTranspose${rank}d`,
      [2, 4, 3, { ...windows, outputPadding: 0, groups: 2, bias: true, init: "zeros" }],
      3,
    ),
    layer(`maxPool${rank}d`, [2, windows], 1),
    layer(`avgPool${rank}d`, [2, { stride: 1, padding: 1, countPadding: false }], 1),
    layer(`adaptiveAvgPool${rank}d`, [2]),
    layer(`adaptiveMaxPool${rank}d`, [2]),
  ]),
  layer("fold", [[4, 4], 2, windows], 2),
  layer("pixelShuffle", [2]),
  layer("pixelUnshuffle", [2]),
  layer("unfold", [2, windows], 1),
  layer("upsample", [{ size: 4, mode: "bilinear", alignCorners: true }], 1, { requiredKeys: ["size"] }),
);

const calls: Readonly<Record<string, RightCall>> = {
  "nn.Activation": call(() => ["square", (t: sg.Tensor) => t.mul(t)]),
  "nn.BatchNorm": call(() => [2, 3, { epsilon: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }], 2),
  "nn.batchNorm1d": call(() => [3, { epsilon: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }], 1),
  "nn.batchNorm2d": call(() => [3, { epsilon: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }], 1),
  "nn.batchNorm3d": call(() => [3, { epsilon: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }], 1),
  "nn.GroupNorm": call(() => [2, 4, { epsilon: 1e-5, affine: true }], 2),
  "nn.groupNorm": call(() => [2, 4, { epsilon: 1e-5, affine: true }], 2),
  "nn.instanceNorm": call(() => [3, { epsilon: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }], 1),
  "nn.InstanceNorm": call(() => [3, { epsilon: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }], 1),
  "nn.RmsNorm": call(() => [[2], { epsilon: 1e-5 }], 1),
  "nn.rmsNorm": call(() => [[2], { epsilon: 1e-5 }], 1),
  "nn.SpectralNorm": call(() => [nn.linear(2, 2), { name: "weight", axis: 0, powerIterations: 1, epsilon: 1e-12 }], 1),
  "nn.spectralNorm": call(() => [nn.linear(2, 2), { name: "weight", axis: 0, powerIterations: 1, epsilon: 1e-12 }], 1),
  "nn.WeightNorm": call(() => [nn.linear(2, 2), { name: "weight", axis: 0 }], 1),
  "nn.weightNorm": call(() => [nn.linear(2, 2), { name: "weight", axis: 0 }], 1),
  ...imageLayers,
  "nn.Dropout": call(() => [0.5]),
  "nn.dropout": call(() => [0.5]),
  "nn.Embedding": call(() => [3, 2, { init: "zeros" }], 2),
  "nn.embedding": call(() => [3, 2, { init: "zeros" }], 2),
  "nn.Gpt": call(() => [{ vocabulary: 3, context: 2, width: 2, heads: 1, layers: 1, dropout: 0, recompute: true }], 1, {
    requiredKeys: ["vocabulary", "context", "width", "heads", "layers"],
  }),
  "nn.Gru": call(() => [2, 3, recurrent()], 2),
  "nn.gru": call(() => [2, 3, recurrent()], 2),
  "nn.Lstm": call(() => [2, 3, recurrent()], 2),
  "nn.lstm": call(() => [2, 3, recurrent()], 2),
  "nn.LstmLanguageModel": options({ vocabulary: 3, width: 2, layers: 1, dropout: 0 }, [
    "vocabulary",
    "width",
    "layers",
  ]),
  "nn.lstmLanguageModel": options({ vocabulary: 3, width: 2, layers: 1, dropout: 0 }, [
    "vocabulary",
    "width",
    "layers",
  ]),
  "nn.Rnn": call(() => [2, 3, { ...recurrent(), nonlinearity: "relu" }], 2),
  "nn.rnn": call(() => [2, 3, { ...recurrent(), nonlinearity: "relu" }], 2),
  "nn.gpt": call(() => [{ vocabulary: 3, context: 2, width: 2, heads: 1, layers: 1, dropout: 0, recompute: true }], 1, {
    requiredKeys: ["vocabulary", "context", "width", "heads", "layers"],
  }),
  "nn.LayerNorm": call(() => [[2], { epsilon: 1e-5, bias: true }], 1),
  "nn.layerNorm": call(() => [[2], { epsilon: 1e-5, bias: true }], 1),
  "nn.Linear": call(() => [2, 3, { bias: true, init: "zeros" }], 2),
  "nn.linear": call(() => [2, 3, { bias: true, init: "zeros" }], 2),
  "nn.SampleShape": call(() => [[2]], 0),
  "nn.MultiHeadAttention": call(
    () => [2, 1, { causal: true, dropout: 0.5, bias: true, keyHeads: 1, memoryWidth: 2, rotary: 4 }],
    2,
  ),
  "nn.multiHeadAttention": call(
    () => [2, 1, { causal: true, dropout: 0.5, bias: true, keyHeads: 1, memoryWidth: 2, rotary: 4 }],
    2,
  ),
  "nn.LearnedPositions": call(() => [4, 2]),
  "nn.learnedPositions": call(() => [4, 2]),
  "nn.RotaryPositions": call(() => [4, 2, { base: 100.5 }], 2),
  "nn.rotaryPositions": call(() => [4, 2, { base: 100.5 }], 2),
  "nn.SinusoidalPositions": call(() => [4, 2, { base: 100.5 }], 2),
  "nn.sinusoidalPositions": call(() => [4, 2, { base: 100.5 }], 2),
  "nn.TransformerDecoderLayer": call(
    () => [2, 1, { hidden: 4, dropout: 0.5, activation: "gelu", normFirst: true, causal: true }],
    2,
  ),
  "nn.transformerDecoderLayer": call(
    () => [2, 1, { hidden: 4, dropout: 0.5, activation: "gelu", normFirst: true, causal: true }],
    2,
  ),
  "nn.TransformerEncoderLayer": call(
    () => [2, 1, { hidden: 4, dropout: 0.5, activation: "gelu", normFirst: true, causal: true }],
    2,
  ),
  "nn.transformerEncoderLayer": call(
    () => [2, 1, { hidden: 4, dropout: 0.5, activation: "gelu", normFirst: true, causal: true }],
    2,
  ),
  "nn.transformerDecoder": call(
    () => [1, 2, 1, { hidden: 4, dropout: 0.5, activation: "gelu", normFirst: true, causal: true }],
    3,
  ),
  "nn.transformerEncoder": call(
    () => [1, 2, 1, { hidden: 4, dropout: 0.5, activation: "gelu", normFirst: true, causal: true }],
    3,
  ),
  "nn.TransformerStack": call(() => [[nn.layerNorm(2)], nn.layerNorm(2)], 1),
  "nn.ModuleDict": call(() => [{ a: nn.relu() }]),
  "nn.moduleDict": call(() => [{ a: nn.relu() }]),
  "nn.ModuleList": call(() => [[nn.relu()]]),
  "nn.moduleList": call(() => [[nn.relu()]]),
  "nn.identity": none,
  "nn.lambda": call(() => [(t: sg.Tensor) => t]),
  "nn.freeze": call(() => [nn.linear(2, 2), "weight"], 1, { variadic: true }),
  "nn.unfreeze": call(() => [nn.linear(2, 2), "weight"], 1, { variadic: true }),
  "nn.functionalCall": call(() => [nn.linear(2, 2), { weight: x() }, x(), { inputs: x() }], 3),
  "nn.summary": call(() => [nn.linear(2, 2), [3, 2], { inputs: x() }], 2),
  "nn.SelfAttention": call(() => [2, 1, { causal: true, dropout: 0.5 }], 2),
  "nn.selfAttention": call(() => [2, 1, { causal: true, dropout: 0.5 }], 2),
  "nn.Sequential": call(() => [nn.relu(), nn.relu()], 0, { variadic: true }),
  "nn.sequential": call(() => [nn.relu(), nn.relu()], 0, { variadic: true }),
  "nn.TransformerBlock": call(() => [2, 1, { causal: true, dropout: 0.5 }], 2),
  "nn.transformerBlock": call(() => [2, 1, { causal: true, dropout: 0.5 }], 2),
  "nn.cnn": call(
    () => [{ input: [1, 4, 4], channels: [2], classes: 2, size: 3, batchNorm: true, dropout: 0.5, init: "zeros" }],
    1,
    {
      requiredKeys: ["input", "channels", "classes"],
    },
  ),
  "nn.Vae": options({ inputs: 4, hidden: [3], latent: 2 }, ["inputs", "hidden", "latent"]),
  "nn.vae": options({ inputs: 4, hidden: [3], latent: 2 }, ["inputs", "hidden", "latent"]),
  "nn.HeatPinn": options({ hidden: [3], diffusivity: 0.5 }, ["hidden"]),
  "nn.heatPinn": options({ hidden: [3], diffusivity: 0.5 }, ["hidden"]),
  ...Object.fromEntries(
    ["Vit", "vit"].map((name) => [
      `nn.${name}`,
      options(
        { input: [1, 4, 4], patch: 2, classes: 2, width: 2, heads: 1, layers: 1, dropout: 0.5, activation: "relu" },
        ["input", "patch", "classes", "width", "heads", "layers"],
      ),
    ]),
  ),
  "nn.mlp": options({ sizes: [4, 2], dropout: 0.5, activation: "relu", bias: true, init: "zeros" }, ["sizes"]),
  "nn.init.gain": call(() => ["leakyRelu", 0.1], 1),
  ...Object.fromEntries(
    ["lecunNormal", "lecunUniform", "orthogonal", "xavierNormal", "xavierUniform"].map((name) => [
      `nn.init.${name}`,
      call(() => [[3, 2], { gain: 0.5 }], 1),
    ]),
  ),
  ...Object.fromEntries(
    ["kaimingNormal", "kaimingUniform"].map((name) => [
      `nn.init.${name}`,
      call(() => [[3, 2], { mode: "fanOut", nonlinearity: "leakyRelu", slope: 0.1 }], 1),
    ]),
  ),
  "nn.init.sparse": call(() => [[3, 2], 0.5, { deviation: 0.1 }], 2),
  "nn.flatten": none,
  "nn.hardSigmoid": none,
  "nn.hardSwish": none,
  "nn.logSigmoid": none,
  "nn.mish": none,
  "nn.relu6": none,
  "nn.selu": none,
  "nn.silu": none,
  "nn.softplus": none,
  "nn.leakyRelu": call(() => [0.1], 0),
  "nn.elu": call(() => [0.5], 0),
  "nn.celu": call(() => [0.5], 0),
  "nn.hardtanh": call(() => [-2, 2], 0),
  "nn.prelu": call(() => [2, { init: 0.1 }], 0),
  "nn.PRelu": call(() => [2, { init: 0.1 }], 0),
  "nn.gelu": call(() => [{ approximate: "tanh" }], 0),
  "nn.relu": none,
  "nn.sigmoid": none,
  "nn.tanh": none,
  "nn.unflatten": call(() => [[2, 1]]),
  "nn.save": call(() => [nn.linear(2, 2), `${folder}/saved.safetensors`, { by: "me" }], 2),
  "nn.load": call(() => [nn.linear(2, 2), `${folder}/w.safetensors`, { strict: true }], 2),
  "losses.binaryCrossEntropy": lossOf(x, { positiveWeight: 1, reduction }),
  "losses.cosineEmbedding": call(() => [pair(2), { targets: classes() }, { margin: 0.1, reduction }], 2, {
    requiredKeys: ["targets"],
  }),
  "losses.crossEntropy": lossOf(classes, { labelSmoothing: 0.1, classWeights: [1, 2], ignoreIndex: -100, reduction }),
  "losses.ctc": call(
    () => [
      sg.ones([2, 3, 4]),
      { targets: sg.tensor([[1], [2]], "int32") },
      { blank: 0, zeroInfinity: true, reduction },
    ],
    2,
    { requiredKeys: ["targets"] },
  ),
  "losses.focal": lossOf(x, { gamma: 2, alpha: 0.25, reduction }),
  "losses.gaussianNll": lossOf(classes, { full: true, epsilon: 1e-6, reduction }),
  "losses.hinge": lossOf(x, { margin: 1, reduction }),
  "losses.huber": lossOf(x, { delta: 1, reduction }),
  "losses.infoNce": call(() => [pair(2), {}, { temperature: 0.1, symmetric: true, reduction }], 2),
  "losses.klDivergence": lossOf(x, { logTarget: true, reduction }),
  "losses.l1": lossOf(x, { reduction }),
  "losses.mse": lossOf(x, { reduction }),
  "losses.multiMargin": lossOf(classes, { margin: 1, power: 2, classWeights: [1, 2], reduction }),
  "losses.nll": lossOf(classes, { classWeights: [1, 2], ignoreIndex: -100, reduction }),
  "losses.poissonNll": lossOf(x, { logInput: true, full: true, epsilon: 1e-8, reduction }),
  "losses.smoothL1": lossOf(x, { beta: 1, reduction }),
  "losses.tripletMargin": call(() => [pair(3), {}, { margin: 1, swap: true, reduction }], 2),
  "metrics.accuracy": none,
  "metrics.auc": call(() => [{ bins: 4 }], 0),
  "metrics.confusionMatrix": none,
  "metrics.dice": call(() => [{ average: "macro" }], 0),
  "metrics.fBeta": call(() => [{ beta: 2, average: "macro" }], 0),
  "metrics.mae": none,
  "metrics.mape": none,
  "metrics.mean": call(() => [losses.mse, "mse", { mode: "min" }], 1),
  "metrics.meanIoU": none,
  "metrics.perClassAccuracy": none,
  "metrics.bitsPerCharacter": none,
  "metrics.perplexity": none,
  "metrics.precision": call(() => [{ average: "macro" }], 0),
  "metrics.precisionAtK": call(() => [{ k: 2 }], 1, { requiredKeys: ["k"] }),
  "metrics.r2": none,
  "metrics.recall": call(() => [{ average: "macro" }], 0),
  "metrics.recallAtK": call(() => [{ k: 2 }], 1, { requiredKeys: ["k"] }),
  "metrics.rmse": none,
  "metrics.topKAccuracy": call(() => [{ k: 2 }], 0),
  ...Object.fromEntries(
    Object.entries({
      adadelta: { ...common, rho: 0.9, epsilon: 1e-6 },
      adafactor: {
        ...common,
        epsilons: [1e-30, 1e-3],
        clipThreshold: 1,
        decayRate: -0.8,
        beta1: 0.5,
        scaleParameter: true,
        relativeStep: true,
      },
      adagrad: { ...common, learningRateDecay: 0, initialAccumulatorValue: 0, epsilon: 1e-10 },
      adam: { ...common, ...betas, amsgrad: true },
      adamW: { ...common, ...betas, amsgrad: true },
      adamax: { ...common, ...betas },
      asgd: { ...common, lambda: 1e-4, alpha: 0.75, t0: 1e6 },
      lamb: { ...common, ...betas },
      lbfgs: { ...common, historySize: 4, lineSearch: "armijo", lineSearchSteps: 3 },
      lion: { ...common, betas: [0.9, 0.99] },
      muon: {
        ...common,
        momentum: 0.9,
        nesterov: true,
        newtonSchulzSteps: 5,
        adjust: "original",
        adam: [],
        adamBetas: [0.9, 0.95],
        adamEpsilon: 1e-8,
      },
      nadam: { ...common, ...betas, momentumDecay: 0.004, decoupledWeightDecay: true },
      radam: { ...common, ...betas, decoupledWeightDecay: true },
      rmsprop: { ...common, alpha: 0.9, epsilon: 1e-8, momentum: 0.5, centered: true },
      rprop: { maximize: true, etas: [0.5, 1.2], stepSizes: [1e-6, 50] },
      sgd: { ...common, momentum: 0.9, nesterov: true, dampening: 0 },
    }).flatMap(([name, options]) => [[`optim.${name}`, optimizer(options)]]),
  ),
  "optim.SGD": optimizer({ momentum: 0.9 }),
  "optim.LBFGS": optimizer({ historySize: 4 }),
  "optim.Lookahead": call(() => [optim.sgd(parameters(), { learningRate: 0.1 }), { every: 5, alpha: 0.5 }], 1),
  "optim.lookahead": call(() => [optim.sgd(parameters(), { learningRate: 0.1 }), { every: 5, alpha: 0.5 }], 1),
  "optim.SAM": call(() => [optim.sgd(parameters(), { learningRate: 0.1 }), { rho: 0.1, adaptive: true }], 1),
  "optim.sam": call(() => [optim.sgd(parameters(), { learningRate: 0.1 }), { rho: 0.1, adaptive: true }], 1),
  "optim.Lion": optimizer({ betas: [0.9, 0.99] }),
  "optim.clipByGlobalNorm": call(() => [[x()], 1]),
  "optim.clipByValue": call(() => [[x()], 1]),
  "optim.globalNorm": call(() => [[x()]]),
  "optim.orthogonalize": call(() => [x(), 2]),
  "optim.parameterGroups": call(() => [parameters(), [{ parameters: "bias", weightDecay: 0 }]]),
  ...both("constant", { learningRate: 0.1, totalIters: 2 }, { val: 0.1, totalIters: 2 }, ["totalIters"]),
  ...both(
    "linear",
    { initialLearningRate: 0.1, endLearningRate: 0, totalIters: 2 },
    { initialVal: 0.1, endVal: 0, totalIters: 2 },
  ),
  ...both(
    "polynomial",
    { initialLearningRate: 0.1, endLearningRate: 0, totalIters: 2, power: 2, cycle: true },
    { initialVal: 0.1, endVal: 0, totalIters: 2, power: 2, cycle: true },
    ["power", "cycle"],
  ),
  ...both(
    "cosineDecay",
    { initialLearningRate: 0.1, endLearningRate: 0, totalIters: 2 },
    { initialVal: 0.1, endVal: 0, totalIters: 2 },
  ),
  ...both(
    "exponential",
    { initialLearningRate: 0.1, totalIters: 2, decayRate: 0.5, staircase: true },
    { initialVal: 0.1, totalIters: 2, decayRate: 0.5, staircase: true },
    ["staircase"],
  ),
  ...both(
    "multiStep",
    { initialLearningRate: 0.1, gamma: 0.5, milestones: [1, 2] },
    { initialVal: 0.1, gamma: 0.5, milestones: [1, 2] },
  ),
  ...both("step", { initialLearningRate: 0.1, stepSize: 2, gamma: 0.5 }, { initialVal: 0.1, stepSize: 2, gamma: 0.5 }),
  ...both("piecewiseConstant", { learningRates: [0.1, 0.2], milestones: [1] }, { vals: [0.1, 0.2], milestones: [1] }),
  ...both("lambda", { initialLearningRate: 0.1, lambda: () => 1 }, { initialVal: 0.1, lambda: () => 1 }),
  ...both("multiplicative", { initialLearningRate: 0.1, coefficient: 0.5 }, { initialVal: 0.1, coefficient: 0.5 }),
  ...both(
    "reduceOnPlateau",
    {
      initialLearningRate: 0.1,
      metric: "loss",
      mode: "min",
      factor: 0.1,
      patience: 2,
      threshold: 0.1,
      thresholdMode: "rel",
      cooldown: 0,
      minLr: 0,
      epsilon: 0.1,
    },
    {
      initialVal: 0.1,
      metric: "loss",
      mode: "min",
      factor: 0.1,
      patience: 2,
      threshold: 0.1,
      thresholdMode: "rel",
      cooldown: 0,
      minVal: 0,
      epsilon: 0.1,
    },
    ["metric", "mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "minVal", "epsilon"],
  ),
  ...both(
    "cosineAnnealing",
    { initialLearningRate: 0.1, TMax: 2, etaMin: 0 },
    { initialVal: 0.1, TMax: 2, etaMin: 0 },
    ["etaMin"],
  ),
  ...both(
    "cosineAnnealingWarmRestarts",
    { initialLearningRate: 0.1, T0: 2, TMult: 1, etaMin: 0 },
    { initialVal: 0.1, T0: 2, TMult: 1, etaMin: 0 },
    ["TMult", "etaMin"],
  ),
  "optim.sequentialLR": call(
    () => [{ schedulers: [schedule(), schedule()], milestones: [2], paramGroupTags: "a" }],
    1,
    { requiredKeys: ["schedulers"] },
  ),
  "optim.sequentialWD": call(() => [{ schedulers: [decay(), decay()], milestones: [2], paramGroupTags: "a" }], 1, {
    requiredKeys: ["schedulers"],
  }),
  "optim.chainedLR": call(() => [{ schedulers: [schedule(), schedule()], paramGroupTags: "a" }], 1, {
    requiredKeys: ["schedulers"],
  }),
  "optim.chainedWD": call(() => [{ schedulers: [decay(), decay()], paramGroupTags: "a" }], 1, {
    requiredKeys: ["schedulers"],
  }),
  "optim.scalePerParamLR": call(() => [{ scheduler: schedule(), paramGroupTags: "a" }], 1, {
    requiredKeys: ["scheduler"],
  }),
  ...both(
    "inverseExponentialTimeDecay",
    { initialLearningRate: 0.1, stepExponent: 1, totalIters: 2, decayRate: 0.5, staircase: true },
    { initialVal: 0.1, stepExponent: 1, totalIters: 2, decayRate: 0.5, staircase: true },
    ["staircase"],
  ),
  ...both(
    "inverseSquareRootDecay",
    { initialLearningRate: 0.1, scale: 1, warmupSteps: 1 },
    { initialVal: 0.1, scale: 1, warmupSteps: 1 },
    ["initialLearningRate", "initialVal", "scale", "warmupSteps"],
  ),
  ...both(
    "cyclic",
    { baseLr: 0.1, maxLr: 0.2, stepSizeUp: 2, stepSizeDown: 2, mode: "triangular" },
    { baseVal: 0.1, maxVal: 0.2, stepSizeUp: 2, stepSizeDown: 2, mode: "triangular" },
    ["stepSizeUp", "stepSizeDown", "mode"],
  ),
  ...both(
    "oneCycle",
    {
      initialLearningRate: 0.1,
      maxLr: 0.2,
      totalSteps: 9,
      pctStart: 0.3,
      finalDivFactor: 10,
      threePhase: true,
      annealStrategy: "cos",
    },
    {
      initialVal: 0.1,
      maxVal: 0.2,
      totalSteps: 9,
      pctStart: 0.3,
      finalDivFactor: 10,
      threePhase: true,
      annealStrategy: "cos",
    },
    ["totalSteps", "pctStart", "finalDivFactor", "threePhase", "annealStrategy"],
  ),
  "optim.Adam": call(() => ["adam", parameters(), { learningRate: 0.1 }], 3, { requiredKeys: ["learningRate"] }),
  ...Object.fromEntries(
    ["ASGD", "Adadelta", "Adagrad", "Adamax", "Lamb", "Muon", "NAdam", "RAdam", "RMSprop", "Rprop"].map((name) => [
      `optim.${name}`,
      optimizer(),
    ]),
  ),
  "optim.Adafactor": call(() => [parameters(), { learningRate: 0.1 }], 2),
  "optim.Optimizer": call(() => ["mine", parameters(), { slots: optim.zeroSlots("m") }, { learningRate: 0.1 }], 4, {
    requiredKeys: ["slots", "learningRate"],
  }),
  "optim.Schedules": call(() => [[schedule()], optim.sgd(parameters(), { learningRate: 0.1 })]),
  "optim.zeroSlots": call(() => ["m", "v"], 0, { variadic: true }),
  "data.csvArrays": call(() => ["d.csv", table(), csvOptions()], 3, {
    requiredKeys: ["target"],
  }),
  "data.csvDataset": call(() => [`${folder}/d.csv`, csvOptions()], 2, { requiredKeys: ["target"] }),
  "data.digitsDataset": reads("data.digitsDataset", () => [{ directory: "none" }], 0),
  "data.epochDraws": call(() => [loader(), 1n, 0, 0], 3),
  "data.idxDataset": options({ inputs: `${folder}/a.idx`, targets: `${folder}/b.idx` }, ["inputs", "targets"]),
  "data.inputsDataset": call(() => [`${folder}/d.csv`, { columns: ["a"], missing: { texts: [""], value: 0 } }], 1),
  "data.heatEquation": options({ samples: 3, seed: 1, diffusivity: 0.5, duration: 0.5 }, ["samples", "seed"]),
  ...Object.fromEntries(
    ["data.fashionMnist", "data.mnist"].flatMap((name) => [
      [
        name,
        reads(name, () => [{ batchSize: 1, shuffle: true, dropLast: true, testBatchSize: 1, directory: "none" }], 1, [
          "batchSize",
        ]),
      ],
      [`${name}Dataset`, reads(`${name}Dataset`, () => ["train", { directory: "none", standardise: false }], 1)],
    ]),
  ),
  "data.mobyDick": reads(
    "data.mobyDick",
    () => [{ batchSize: 1, context: 2, stride: 1, validationFraction: 0.5, directory: "none" }],
    1,
    ["batchSize", "context"],
  ),
  "data.mobyDickDataset": reads(
    "data.mobyDickDataset",
    () => [{ context: 2, stride: 1, validationFraction: 0.5, split: "train", directory: "none" }],
    1,
    ["context"],
  ),
  "data.imageFolder": reads(
    "data.imageFolder",
    () => [{ folder: "none", classes: ["a"], colour: "rgb", mean: [0, 0, 0], deviation: [1, 1, 1] }],
    1,
    ["folder"],
  ),
  "data.jsonlDataset": reads(
    "data.jsonlDataset",
    () => [{ file: "none.jsonl", context: 2, key: "text", separator: "", split: "train", tokens: 300 }],
    1,
    ["file", "context"],
  ),
  "data.npyArray": reads("data.npyArray", () => ["a.npy"]),
  "data.npzArrays": reads("data.npzArrays", () => ["a.npz"]),
  "data.npyDataset": reads("data.npyDataset", () => [{ inputs: "a.npy", targets: "b.npy", scale: 2 }], 1, ["inputs"]),
  "data.npzDataset": reads("data.npzDataset", () => [{ file: "a.npz", inputs: "x", targets: "y", scale: 2 }], 1, [
    "file",
  ]),
  "data.parquetDataset": reads("data.parquetDataset", () => [{ file: "a.parquet", ...csvOptions() }], 1, [
    "file",
    "target",
  ]),
  "data.vegaDataset": reads("data.vegaDataset", () => [{ table: "cars", ...csvOptions(), directory: "none" }], 1, [
    "table",
    "target",
  ]),
  "data.BytePairTokenizer": call(() => [[[97, 98]]]),
  "data.trainTokenizer": call(() => ["a text", { tokens: 260 }], 2, { requiredKeys: ["tokens"] }),
  "data.loadTokenizer": call(() => [`${folder}/tokenizer.json`]),
  "data.mixup": options({ alpha: 1, classes: 2 }),
  "data.randomCrop": options({ size: [2, 2], padding: 1, fill: 0, shape: [1, 2, 2] }),
  "data.randomShift": options({ pixels: 1, fill: 0, shape: [1, 2, 2] }, ["pixels"]),
  "data.randomFlip": options({ axis: "vertical", probability: 0.25, shape: [1, 2, 2] }),
  "data.randomErase": options({ size: [2, 2], probability: 0.25, fill: 0, shape: [1, 2, 2] }, ["size"]),
  "data.parseCsv": call(() => ["d.csv", "a,b\n1,2\n"]),
  "data.randomSplit": call(() => [dataset(), [1, 1], { seed: 1 }], 2),
  "data.subset": call(() => [dataset(), [0, 1, 0]]),
  "data.textDataset": call(() => [`${folder}/t.txt`, { context: 2, stride: 1, validationFraction: 0.5 }], 2, {
    requiredKeys: ["context"],
  }),
  BatchSizeFinder: options({ memory: 1024, maximum: 4, steps: 2 }),
  ComputeNorm: options({ gradients: true, parameters: true, perLayer: true }),
  DumpActivations: options({ modules: ["*"], every: 1 }),
  EarlyStopping: options({
    patience: 3,
    stoppingThreshold: 0.1,
    divergenceThreshold: 9,
    metric: "loss",
    mode: "min",
    minDelta: 0,
  }),
  ExponentialMovingAverage: options({ decay: 0.9, warmup: true, start: 1, every: 1, validate: true }),
  FlopUtilization: options({ peak: 1e9 }),
  GlobalFlags: options({ logLevel: "info", logSteps: 1 }),
  KeepNCheckpoints: options({ n: 1 }, ["n"]),
  LearningRateFinder: options({ minimum: 0.1, maximum: 1, steps: 10, stopAt: 4, apply: true }),
  LoadCheckpointStates: options({ path: "a.safetensors", states: ["model"], strict: true }, ["path"]),
  LogOptimizerParamGroup: options({ keys: ["learningRate"] }),
  Lora: options({ rank: 1, alpha: 2, modules: ["*"], train: ["*"] }),
  LoraLinear: call(() => [nn.linear(2, 2), 1, 1]),
  ModelSummary: options({ depth: 1 }),
  NaNChecker: options({ activations: true, gradients: true, every: 1 }),
  OpProfiler: options({ rows: 1, repeats: 1 }),
  SampleImages: options({ size: [2, 2], count: 4 }, ["size"]),
  SamplePredictions: options({ size: [2, 2], count: 4 }, ["size"]),
  SampleText: options({ prompt: "a", length: 3, temperature: 0.5, context: 8 }),
  SanityValidation: options({ steps: 1 }),
  SaveCheckpointState: options({ states: ["model"], every: 1 }),
  ScopedFlags: options({ train: { logSteps: 1 }, validate: { logLevel: "info" } }),
  SelectiveGrad: options({ freeze: ["*"] }, ["freeze"]),
  SkipSamples: options({ samples: 0 }, ["samples"]),
  Sparsity: options(
    { sparsity: 0.5, parameters: ["*"], method: "magnitude", schedule: { begin: 1, end: 2, every: 1 } },
    ["sparsity"],
  ),
  StochasticWeightAveraging: options({ start: 1, every: 1, validate: true }),
  TensorSummaries: options({ parameters: ["*"], gradients: ["*"], activations: ["*"], histograms: true }),
  ...Object.fromEntries(
    [
      ...["CheckLoss", "CountParams", "DurationProfiler", "ModelEvalMetrics", "RateProfiler"],
      ...["CSVLogger", "JSONLLogger", "ProgressLogger", "ReportLogger", "TensorBoardLogger"],
    ].map((name) => [name, options({})]),
  ),
  Trainer: call(() => [trainerOptions()], 1, { requiredKeys: ["model"] }),
  Tensor: call(() => [x().node]),
  buildTrainer: call(() => [config(), { seed: 1 }], 1),
  configHash: call(() => [config()]),
  configJsonSchema: none,
  configToYaml: call(() => [config()]),
  continuePhase: call(() => [config(), "a.safetensors"]),
  countParameters: call(() => [trainer()]),
  defaultBackend: none,
  diffReplay: reads(
    "diffReplay",
    () => ["none", { backend: "reference", threads: 1, rebuild: () => 0, recordedOn: "reference" }],
    1,
  ),
  diffRuns: reads(
    "diffRuns",
    () => ["a", "b", { backends: ["wasm"], threads: 1, rebuild: [], steps: 1, prepare: () => {} }],
    2,
  ),
  digestOfProof: call(
    () => [
      { link: hash, name: "parameter/w", dtype: "float32", shape: [1], tensor: path(), block: path() },
      Float32Array.of(1),
    ],
    2,
    { requiredKeys: ["link", "name", "dtype", "shape", "tensor"] },
  ),
  graphHash: call(() => [Object.create(graph())]),
  histogramOf: call(() => [[1, 2]]),
  loadConfig: call(() => [`${folder}/run.yaml`, overrides()], 1),
  loadPhases: call(() => [`${folder}/run.yaml`, overrides()], 1),
  parseConfig: call(() => [configText(), "run.yaml", overrides()], 2),
  parsePhases: call(() => [configText(), "run.yaml", overrides()], 2),
  printGraph: call(() => [Object.create(graph())]),
  proveOp: reads("proveOp", () => ["none", 1, 20, replays()], 3),
  proveTensor: reads("proveTensor", () => ["none", "parameter/w", { block: 0 }], 2),
  recordRun: call(
    () => [
      { seed: 1, checkpointSteps: 1, backend: "reference", threads: 1 },
      async (run: sg.RunRecorder) => {
        run.keep({ model: sg.nn.linear(1, 1) });
        for await (const _ of run.steps(1)) await run.record({ loss: 1 });
      },
    ],
    1,
  ),
  register: call(() => ["callback", `Own${registered++}`, () => ({}), {}], 3),
  showDiff: call(() => [{ names: ["a", "b"], equal: true, facts: [], graph: [], notes: [] }], 1, {
    requiredKeys: ["names", "equal", "facts", "graph", "notes"],
  }),
  stepValues: reads("stepValues", () => ["none", 1, replays()], 2),
  summarizeScalar: call(() => ["x", sg.tensor(1)]),
  summarizeTensor: call(() => ["x", x()]),
  trainerOptions: call(() => [config()]),
  verifyConfig: reads("verifyConfig", () => ["none", { backend: "reference", threads: 1, against: hash }], 2),
  verifyOpProof: reads(
    "verifyOpProof",
    () => [opProof(), { where: "a proof", against: hash }],
    1,
    Object.keys(opProof()),
  ),
  verifyRun: reads(
    "verifyRun",
    () => [
      "none",
      { backend: "reference", threads: 1, from: 0, steps: 1, against: hash, rebuild: () => 0, data: "none" },
    ],
    1,
  ),
  verifyRecordedRun: reads(
    "verifyRecordedRun",
    () => ["none", async () => {}, { backend: "reference", threads: 1, from: 0, steps: 1, against: hash }],
    2,
  ),
  "data.Vocabulary": call(() => ["abc"]),
  "data.arrayDataset": call(
    () => ["d", { inputs: { data: new Float32Array(4), shape: [2, 2], dtype: "float32" } }],
    2,
    { requiredKeys: ["inputs"] },
  ),
  "data.asyncDataset": call(
    () => ["d", { size: 2, fields: { inputs: { shape: [1], dtype: "float32" } }, digests: {}, read: async () => ({}) }],
    2,
    { requiredKeys: ["size", "fields", "digests", "read"] },
  ),
  "data.dataLoader": call(
    () => [dataset(), { batchSize: 1, shuffle: true, dropLast: true, transform: (t: object) => t }],
    2,
    { requiredKeys: ["batchSize"] },
  ),
  "data.parseIdx": call(() => ["file", idx()], 2),
  "data.textWindows": call(
    () => ["text", "abcdefgh", { context: 2, split: "train", validationFraction: 0.5, stride: 1 }],
    3,
    { requiredKeys: ["context"] },
  ),
  Variable: call(() => [x()]),
  Parameter: call(() => [x()]),
  Stream: call(() => [1, 2], 1),
  autocast: call(() => ["bfloat16", () => x()]),
  scan: call(
    () => [
      (carry: sg.Tensor) => [carry, null],
      sg.ones([3]),
      x(),
      { axis: 0, reverse: false, recompute: false, truncate: 2, length: 2 },
    ],
    3,
  ),
  compile: call(
    () => [(t: sg.Tensor) => t, { state: [], name: "f", backend: "reference", strict: true, log: () => {} }],
    1,
  ),
  checkpoint: call(() => [(t: sg.Tensor) => t]),
  customGradient: call(() => [(t: sg.Tensor) => t, () => [null]]),
  hessian: call(() => [(t: sg.Tensor) => t.sum(), { argument: 0, mode: "forward" }], 1),
  hvp: call(() => [(t: sg.Tensor) => t.sum(), [x()], [x()]]),
  jacobian: call(() => [(t: sg.Tensor) => t, { argument: 0, mode: "forward" }], 1),
  jvp: call(() => [(t: sg.Tensor) => t, [x()], [x()]]),
  vjp: call(() => [(t: sg.Tensor) => t, x()]),
  vmap: call(() => [(t: sg.Tensor) => t, { inAxes: [0], outAxes: [0] }], 1),
  grad: call(() => [(t: sg.Tensor) => t.sum()]),
  gradients: call(() => {
    const t = x();
    return [t, [t], sg.ones([2, 2])];
  }, 2),
  loadBackend: call(() => ["reference", { threads: 1, vectorWidth: 4 }], 1),
  manualSeed: call(() => [1]),
  onExecute: call(() => [() => {}]),
  runtimeScalar: call(() => ["rate", () => 1]),
  setDefaultBackend: call(() => ["reference"]),
  valueAndGrad: call(() => [(t: sg.Tensor) => t.sum()]),
  watch: call(() => ["x", x()]),
  tensor: call(() => [[[1, 2]], { dtype: "int32", shape: [2, 1] }], 1),
  zeros: call(() => [[2], "int32"], 1),
  ones: call(() => [[2], "int32"], 1),
};

/** What is accepted, and why. */
const accepted: readonly Accepted[] = [
  [/^nn\.(leakyRelu|elu|celu|hardtanh|prelu|PRelu): [01](\.init)? = (a fraction|an index far out)$/, "a real number"],
  [/^nn\.init\.\w+: 1(\.gain|\.slope)? = (a fraction|an index far out)$/, "a real number"],
  [/^optim\.\w+: [01](\.\w+)? = a fraction$/, "a real number that is 0 or 1 in the right call"],
  [/^(losses|metrics)\.\w+: \d\.(positiveWeight|delta|beta|gamma|margin) = a fraction$/, "a real number"],
  [/^losses\.\w+: 2\.(margin|ignoreIndex) = an index far out$/, "any number, and any target"],
  [/^losses\.(infoNce|tripletMargin): 1 = a record( without a prototype)?$/, "they have no targets"],
  [/^optim\.\w+: 0\.(paramGroupTags|milestones) = an empty list$/, "none"],
  [/^(nn\.\w+|zeros|ones): 0 = an empty list$/, "the shape of a scalar"],
  [/^(optim\.(clipByValue|muon)|gradients|optim.parameterGroups): \d(\.adam)? = an empty list$/, "none"],
  [/^compile: 1\.state = an empty list$/, "no state"],
  [/^(losses\.\w+: 1|data\.(dataLoader|randomSplit|subset): 0)\.nonsense$/, "a batch and a dataset may hold more"],
  [/^data\.(parquet|vega)Dataset: 0\.inputs = an empty list$/, "none are named: refused once the file is read"],
  [/^data\.(BytePairTokenizer: 0|inputsDataset: 1\.categorical) = an empty list$/, "none"],
  [/^data\.(mixup|random\w+|npy\w+|npz\w+): 0\.(alpha|fill|scale) = (a fraction|an index far out)$/, "a real number"],
  [
    /^Stream: 0 = a bigint|^manualSeed: 0 = a bigint|(shuffleSeed|randomSplit: 2.seed|heatEquation: 0.seed) = a bigint$/,
    "a seed",
  ],
  [/^optim\.multiplicative(LR|WD): 0\.coefficient = a function$/, "a coefficient of the step"],
  [/^autocast: 0 = null$/, "no rounding"],
  [/^optim\.Optimizer: [23]\.nonsense$/, "rules and options may be a subclass's, which checks their keys"],
  [/^optim\.Schedules: 0 = an empty list$/, "none"],
  [/^scan: [12] = (null|an empty list)$/, "no carry, no slices"],
  [
    /^(verifyRun|verifyRecordedRun|proveTensor): \d\.\w+ = (a fraction|NaN|an index far out)$/,
    "a number out of range: refused once the run is read",
  ],
  [/^diffRuns: 2\.steps = /, "a number out of range: refused once the runs are read"],
  [
    /^\w+: 0\.(modules|states|keys|train|freeze|parameters|gradients|activations|callbacks|loggers|metrics) = an empty list$/,
    "none",
  ],
  [/^(diffRuns: 2\.(backends|rebuild)|histogramOf: 0) = an empty list$/, "none"],
  [/^(EarlyStopping|FlopUtilization|LearningRateFinder|Lora): 0\.\w+ = a fraction$/, "a real number"],
  [/^EarlyStopping: 0\.\w+Threshold = an index far out$/, "a real number"],
  [/^LoraLinear: 2 = (a fraction|an index far out)$/, "a real number"],
  [/^recordRun: 0\.seed = a bigint$/, "a seed"],
  [/^Trainer: 0\.seed = (null|a bigint)$/, "a seed, or none"],
  [/^(buildTrainer|loadConfig|loadPhases|parseConfig|parsePhases): \d\.seed = (null|a bigint)$/, "a seed, or none"],
  [/^verifyOpProof: 0\.operands = an empty list$/, "an op of nothing"],
  [/^proveOp: 2 = a text$/, "an output's name"],
  [/^digestOfProof: 0\.shape = an empty list$/, "the shape of a scalar"],
  [/^showDiff: 0(\.nonsense|\.(facts|graph|notes) = an empty list)$/, "none; a comparison may say more"],
  [/^(jacobian|hessian): 1\.argument = an index far out$/, "which argument: refused once they are given"],
  [/^vmap: 1\.(in|out)Axes = an? (index far out|empty list)$/, "axes of arguments: refused once they are given"],
  [/^Tensor: one more$/, "the engine makes one at each op, and its nodes are no program's"],
];

/** What isn't called with arguments of a program's, and why. */
const exceptions: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(sg).flatMap(([name, value]) =>
      typeof value === "function" && (value === sg.SeedgradError || value.prototype instanceof sg.SeedgradError)
        ? [[name, "an error: made by the engine, caught by programs"]]
        : [],
    ),
  ),
  "nn.Convolution": "abstract: its layers are tried",
  "nn.Module": "a base class: its constructor takes nothing, and a subclass has its own",
  "nn.Pooling": "abstract: its layers are tried",
  "nn.Shuffling": "abstract: its layers are tried",
};

/** Everything exported that can be called, by its path. */
function exported(): string[] {
  const callable = (of: object, prefix: string): string[] =>
    Object.entries(of).flatMap(([name, value]) => {
      if (typeof value === "function") return [prefix + name];
      const isNamespace = value !== null && typeof value === "object" && value !== sg.ops;
      return isNamespace ? callable(value, `${prefix}${name}.`) : [];
    });
  return callable(sg, "").filter((path) => !Object.hasOwn(sg.ops, path));
}

const publicCall = (path: string): ((...args: readonly unknown[]) => unknown) => {
  const target = path.split(".").reduce((at: Untyped, name) => at[name], sg);
  const isClass = /^class/.test(Function.prototype.toString.call(target));
  return isClass ? (...args) => new target(...args) : target;
};

beforeAll(async () => {
  sg.manualSeed(1);
  await sg.setDefaultBackend("reference");
  await nn.save(nn.linear(2, 2), `${folder}/w.safetensors`);
  writeFileSync(`${folder}/d.csv`, "a,b\n1,2\n");
  writeFileSync(`${folder}/tokenizer.json`, '{"format": 1, "merges": []}');
  writeFileSync(`${folder}/t.txt`, "a text of some characters");
  writeFileSync(`${folder}/run.yaml`, configText());
  for (const name of ["a.idx", "b.idx"]) writeFileSync(`${folder}/${name}`, idx());
});

describe("public functions", () => {
  test("each is in the table, or an exception with a reason", () => {
    expect([...Object.keys(calls), ...Object.keys(exceptions)].sort()).toEqual(exported().sort());
  });

  test("each right call is accepted", async () => {
    const wrong: string[] = [];
    for (const [name, { args, refusedAs }] of Object.entries(calls)) {
      if (refusedAs !== undefined) continue;
      const came = await outcome(() => publicCall(name)(...args()));
      if (came !== "accepted") wrong.push(`${name}: ${came}`);
    }
    expect(wrong).toEqual([]);
  });

  test.each(Object.keys(calls))("%s", async (name) => {
    expect(await notRefused(name, calls[name], publicCall(name), accepted)).toEqual([]);
  });
});
