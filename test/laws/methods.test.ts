// Every method of a public class refuses wrong arguments with a typed error, or is on the list of what is meant. A method that stands neither
// in the table nor among the exceptions fails. A tensor's ops are test/tensor/calls.test.ts's.
import { tmpdir } from "node:os";
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { renamed } from "../../src/tensor/renamed.ts";
import { type Accepted, call, notRefused, outcome, type RightCall, type Untyped } from "../support/arguments.ts";
import { loader, none, reads, trainer, x } from "../support/right.ts";

const { nn, optim, data } = sg;
const hash = "0".repeat(64);

/** `forward` of a layer, whose second argument a layer may leave alone. */
const forward = (inputs: () => sg.Tensor = x) => call(() => [inputs(), { inputs: x() }], 1);
const images = () => sg.zeros([1, 1, 2, 2]);
const sequences = () => sg.zeros([1, 2, 2]);
const timed = () => sg.ones([2, 4, 2]);
const tokens = () => sg.zeros([1, 2], "int32");
const schedules = () => new optim.Schedules([optim.constantLR({ learningRate: 0.1, totalIters: 2 })], optimizer);
sg.manualSeed(1);
const optimizer = optim.sgd(nn.linear(2, 2).parameters(), { learningRate: 0.1 });
const loss = () => sg.add(...(optimizer.parameters.map((each) => each.sum()) as [sg.Tensor, sg.Tensor]));
const slopes = () => sg.gradients(loss(), optimizer.parameters as sg.Parameter[]);
const again = () => ({ value: loss(), gradients: slopes() });
const update = () => [slopes(), optimizer.parameters, { value: loss(), again }];

/** What methods are called on, by class. */
const instances: Readonly<Record<string, () => object>> = {
  Tensor: () => sg.tensor([1]),
  Variable: () => new sg.Variable(x()),
  Stream: () => new sg.Stream(1),
  Trainer: trainer,
  LoraLinear: () => new sg.LoraLinear(nn.linear(2, 2), 1, 1),
  ModelSummary: () => new sg.ModelSummary(),
  OpProfiler: () => new sg.OpProfiler(),
  "data.BytePairTokenizer": () => new data.BytePairTokenizer([[97, 98]]),
  "data.Vocabulary": () => new data.Vocabulary("abc"),
  "nn.Module": () => nn.linear(2, 2),
  "nn.Activation": () => nn.relu(),
  "nn.BatchNorm": () => nn.batchNorm2d(1),
  "nn.GroupNorm": () => nn.groupNorm(1, 1),
  "nn.RmsNorm": () => nn.rmsNorm(2),
  "nn.Convolution": () => nn.conv2d(1, 1, 1),
  "nn.Dropout": () => nn.dropout(0.5),
  "nn.Embedding": () => nn.embedding(3, 2),
  "nn.Gpt": () => nn.gpt({ vocabulary: 3, context: 2, width: 2, heads: 1, layers: 1 }),
  "nn.Gru": () => nn.gru(2, 3),
  "nn.Lstm": () => nn.lstm(2, 3),
  "nn.Vae": () => nn.vae({ inputs: 4, hidden: [3], latent: 2 }),
  "nn.HeatPinn": () => nn.heatPinn({ hidden: [3] }),
  "nn.Vit": () => nn.vit({ input: [1, 2, 2], patch: 1, classes: 2, width: 2, heads: 1, layers: 1 }),
  "nn.LstmLanguageModel": () => nn.lstmLanguageModel({ vocabulary: 3, width: 2, layers: 1 }),
  "nn.Rnn": () => nn.rnn(2, 3),
  "nn.SpectralNorm": () => nn.spectralNorm(nn.linear(2, 2)),
  "nn.WeightNorm": () => nn.weightNorm(nn.linear(2, 2)),
  "nn.LayerNorm": () => nn.layerNorm([2]),
  "nn.Linear": () => nn.linear(2, 2),
  "nn.PRelu": () => nn.prelu(),
  "nn.Fold": () => nn.fold([2, 2], 1),
  "nn.InstanceNorm": () => nn.instanceNorm(1),
  "nn.Pooling": () => nn.maxPool2d(1),
  "nn.SampleShape": () => nn.flatten(),
  "nn.LearnedPositions": () => nn.learnedPositions(4, 2),
  "nn.MultiHeadAttention": () => nn.multiHeadAttention(2, 1),
  "nn.RotaryPositions": () => nn.rotaryPositions(4, 2),
  "nn.SinusoidalPositions": () => nn.sinusoidalPositions(4, 2),
  "nn.TransformerDecoderLayer": () => nn.transformerDecoderLayer(2, 1),
  "nn.TransformerEncoderLayer": () => nn.transformerEncoderLayer(2, 1),
  "nn.TransformerStack": () => nn.transformerEncoder(1, 2, 1),
  "nn.ModuleDict": () => nn.moduleDict({ a: nn.relu() }),
  "nn.ModuleList": () => nn.moduleList([nn.relu()]),
  "nn.SelfAttention": () => nn.selfAttention(2, 1),
  "nn.Sequential": () => nn.sequential(nn.linear(2, 2)),
  "nn.Shuffling": () => nn.pixelShuffle(1),
  "nn.Unfold": () => nn.unfold(1),
  "nn.Upsample": () => nn.upsample({ scaleFactor: 1 }),
  "nn.TransformerBlock": () => nn.transformerBlock(2, 1),
  "optim.LBFGS": () => optim.lbfgs(optimizer.parameters, { learningRate: 0.1 }),
  "optim.Lookahead": () => optim.lookahead(optimizer),
  "optim.Optimizer": () => optimizer,
  "optim.SAM": () => optim.sam(optimizer),
  "optim.Schedules": schedules,
};

const calls: Readonly<Record<string, RightCall>> = {
  "Trainer.backend": none,
  "Trainer.callbackVariables": none,
  "Trainer.describe": none,
  "Trainer.evalStep": none,
  "Trainer.evaluate": call(() => [loader(), { steps: 1, silent: true, weights: "raw" }], 1),
  "Trainer.explain": call(() => [loader(), loader()], 1),
  "Trainer.fit": call(() => [loader(), loader(), { ckptPath: "none", signal: new AbortController().signal }], 1, {
    refusedAs: "fit",
  }),
  "Trainer.initialize": none,
  "Trainer.ledger": call(() => [loader()]),
  "Trainer.loadCheckpoint": reads("loadCheckpoint", () => ["none"]),
  "Trainer.logHistograms": call(() => [{ a: sg.histogramOf([1, 2]) }, 1], 1),
  "Trainer.logSample": call(() => ["a", { text: "words" }, 1], 2),
  "Trainer.logMetrics": call(() => [{ a: 1 }, 1], 1),
  "Trainer.message": call(() => ["info", "words"]),
  "Trainer.nameScope": call(() => ["name", () => 1]),
  "Trainer.needOptimizer": none,
  "Trainer.predict": reads("predict", () => [loader(), { ckptPath: "none", weights: "raw" }], 1),
  "Trainer.runState": reads("runState", () => []),
  "Trainer.saveCheckpoint": reads("saveCheckpoint", () => ["name"], 0),
  "Trainer.stop": call(() => ["enough"]),
  "Trainer.test": reads("test", () => [loader(), { ckptPath: "none", weights: "raw" }], 1),
  "Trainer.trainStep": none,
  "Trainer.validate": reads("validate", () => [loader(), { ckptPath: "none", weights: "raw" }], 1),
  "Trainer.validateAll": reads("validateAll", () => [loader(), "none", { weights: "raw" }], 1),
  "Trainer.variables": none,
  "Trainer.verify": reads(
    "verify",
    () => [
      "none",
      { backend: "reference", threads: 1, from: 0, steps: 1, against: hash, train: loader(), val: loader() },
    ],
    1,
  ),
  "Tensor.array": none,
  "Tensor.data": none,
  "Tensor.dispose": none,
  "Tensor.format": none,
  "Tensor.item": none,
  "Tensor.nonzero": none,
  "Tensor.realize": none,
  "Tensor.toString": none,
  "Variable.assign": call(() => [x()]),
  "Variable.dispose": none,
  "Variable.load": call(() => [Float32Array.of(1, 2, 3, 4)]),
  "Stream.reserve": call(() => [2]),
  "Stream.seek": call(() => [2]),
  "data.BytePairTokenizer.encode": call(() => ["abc"]),
  "data.BytePairTokenizer.decode": call(() => [[0, 1]]),
  "data.BytePairTokenizer.save": call(() => [`${tmpdir()}/seedgrad-methods-tokenizer.json`]),
  "data.Vocabulary.encode": call(() => ["abc"]),
  "data.Vocabulary.decode": call(() => [[0, 1]]),
  "LoraLinear.forward": forward(),
  "LoraLinear.merged": none,
  "nn.Activation.forward": forward(),
  "nn.BatchNorm.forward": forward(images),
  "nn.GroupNorm.forward": forward(images),
  "nn.RmsNorm.forward": forward(),
  "nn.Convolution.forward": forward(images),
  "nn.Dropout.forward": forward(),
  "nn.Embedding.forward": forward(tokens),
  "nn.Gpt.forward": forward(tokens),
  "nn.Gru.forward": forward(timed),
  "nn.Lstm.forward": forward(timed),
  "nn.Rnn.forward": forward(timed),
  "nn.SpectralNorm.forward": forward(),
  "nn.WeightNorm.forward": forward(),
  "nn.Gru.run": call(() => [timed(), { state: sg.zeros([1, 2, 3]), mask: sg.full([2, 4], 1, "bool") }], 1),
  "nn.Lstm.run": call(
    () => [timed(), { state: [sg.zeros([1, 2, 3]), sg.zeros([1, 2, 3])], mask: sg.full([2, 4], 1, "bool") }],
    1,
  ),
  "nn.Vae.forward": forward(() => sg.ones([2, 4])),
  "nn.Vae.decode": call(() => [sg.ones([1, 2])]),
  "nn.Vae.sample": call(() => [2]),
  "nn.HeatPinn.forward": forward(),
  "nn.Vit.forward": forward(() => sg.ones([2, 4])),
  "nn.LstmLanguageModel.forward": forward(tokens),
  "nn.Rnn.run": call(() => [timed(), { state: sg.zeros([1, 2, 3]), mask: sg.full([2, 4], 1, "bool") }], 1),
  "nn.LayerNorm.forward": forward(),
  "nn.Linear.forward": forward(),
  "nn.PRelu.forward": forward(),
  "nn.Fold.forward": forward(() => sg.zeros([1, 1, 4])),
  "nn.InstanceNorm.forward": forward(images),
  "nn.Pooling.forward": forward(images),
  "nn.SampleShape.forward": forward(),
  "nn.LearnedPositions.forward": forward(sequences),
  "nn.MultiHeadAttention.forward": forward(sequences),
  "nn.RotaryPositions.forward": forward(sequences),
  "nn.SinusoidalPositions.forward": forward(sequences),
  "nn.TransformerDecoderLayer.forward": call(() => [sequences(), { memory: sequences() }], 2),
  "nn.TransformerEncoderLayer.forward": forward(sequences),
  "nn.TransformerStack.forward": forward(sequences),
  "nn.ModuleDict.get": call(() => ["a"]),
  "nn.ModuleDict.namedChildren": none,
  "nn.ModuleList.at": call(() => [0]),
  "nn.ModuleList.namedChildren": none,
  "nn.SelfAttention.forward": forward(sequences),
  "nn.Sequential.forward": forward(),
  "nn.Sequential.namedChildren": none,
  "nn.Shuffling.forward": forward(images),
  "nn.Unfold.forward": forward(images),
  "nn.Upsample.forward": forward(images),
  "nn.TransformerBlock.forward": forward(sequences),
  "nn.Module.eval": none,
  "nn.Module.namedChildren": none,
  "nn.Module.namedParameters": none,
  "nn.Module.namedVariables": none,
  "nn.Module.parameters": none,
  "nn.Module.pieces": call(() => [["a"]], 0),
  "nn.Module.toString": none,
  "nn.Module.traceKey": none,
  "nn.Module.train": call(() => [true], 0),
  "optim.LBFGS.update": call(update, 1),
  "optim.Lookahead.namedVariables": none,
  "optim.Lookahead.update": call(update, 1),
  "optim.Optimizer.minimize": call(() => [loss()]),
  "optim.Optimizer.namedVariables": none,
  "optim.Optimizer.pieces": none,
  "optim.Optimizer.seek": call(() => [2]),
  "optim.Optimizer.traceKey": none,
  "optim.Optimizer.update": call(update, 1),
  "optim.SAM.update": call(update, 3),
  "optim.Schedules.apply": call(() => [1]),
  "ModelSummary.text": call(() => [trainer()]),
  "OpProfiler.text": none,
  "optim.Schedules.resolve": call(() => [{ stepsPerEpoch: 2, totalSteps: 4 }], 1),
  "optim.Schedules.of": call(() => [optimizer.groups[0], "learningRate"]),
};

/** What is accepted, and why. */
const accepted: readonly Accepted[] = [
  [
    /^Trainer\.verify: \d\.\w+ = (a fraction|NaN|an index far out)$/,
    "a number out of range: refused once the run is read",
  ],
  [/^Trainer\.(evaluate: 0|validate: 0|test: 0|fit: 1) = an empty list$/, "none"],
  [/^Trainer\.verify: 1\.val = an empty list$/, "no validation data"],
  [/ckptPath = null$/, "no checkpoint"],
  [/^Trainer\.logMetrics: 0( = a record|\.nonsense|\.a = )/, "numbers by any name"],
  [/^data\.(Vocabulary|BytePairTokenizer)\.decode: 0 = an empty list$/, "an empty text"],
  [/^nn\.Module\.pieces: 0 = /, "a list of anything"],
  [/^optim\.SAM\.update: 1 = undefined$/, "the optimizer's own parameters"],
];

/** What a program doesn't call, by the class's path or any's, and why. */
const exceptions: readonly (readonly [RegExp, string])[] = [
  [/\.(on|pre|post)[A-Z]\w*$/, "a hook: called by a Trainer"],
  [/^\w+\.(setup|finalize|logMetrics|logHistograms|logSample|flush|logMessage)$/, "a hook: called by a Trainer"],
  [
    /^\w+\.(describe|saveState|loadState|beginsAt|finalWeights|readBack)$|^(Sparsity|EarlyStopping)\.namedVariables$/,
    "what a callback's record is made of: asked by a Trainer",
  ],
  [/^nn\.\w+\.describe$|^LoraLinear\.describe$/, "protected: asked by toString"],
  [/^(nn\.\w+|LoraLinear)\.(apply|added|attend|follow|weightNow)$/, "protected: asked by forward"],
  [/^optim\.\w+\.(rule|scalars|prepare)$/, "protected: asked by update"],
  [new RegExp(`^Tensor\\.(${[...renamed.keys()].join("|")})$`), "another library's name, which is refused with ours"],
  [/\.(describeRate|rate)$/, "protected: asked by hooks"],
  [/^nn\.Module(Dict|List)\.forward$/, "it refuses every call"],
];

/** The methods that classes declare, by their paths: those of a tensor but for the ops. */
function declared(): string[] {
  const of = (holder: object, prefix: string): string[] =>
    Object.entries(holder).flatMap(([name, value]) => {
      if (typeof value === "object" && prefix === "" && name !== "ops") return of(value, `${name}.`);
      return typeof value === "function" && value.prototype
        ? methodsOf(value).map((method) => `${prefix}${name}.${method}`)
        : [];
    });
  return of(sg, "").filter((path) => !(path.startsWith("Tensor.") && Object.hasOwn(sg.ops, path.slice(7))));
}

/** A class's own methods; a layer's too that it has of classes which aren't exported. */
function methodsOf({ prototype }: { readonly prototype: object }): string[] {
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { value }]) =>
    typeof value === "function" && name !== "constructor" ? [name] : [],
  );
  const above = Object.getPrototypeOf(prototype) as object | null;
  const isHidden = above instanceof nn.Module && !Object.values(nn).includes(above.constructor as never);
  return isHidden ? [...new Set([...own, ...methodsOf({ prototype: above })])] : own;
}

const publicCall = (path: string): ((...args: readonly unknown[]) => unknown) => {
  const at = path.lastIndexOf(".");
  return (...args) => (instances[path.slice(0, at)]() as Untyped)[path.slice(at + 1)](...args);
};

beforeAll(async () => {
  await sg.setDefaultBackend("reference");
});

describe("public methods", () => {
  test("each is in the table, or an exception with a reason", () => {
    const placed = (path: string) => exceptions.some(([pattern]) => pattern.test(path)) && !Object.hasOwn(calls, path);
    expect(Object.keys(calls).sort()).toEqual(
      declared()
        .filter((path) => !placed(path))
        .sort(),
    );
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
