// Random configs of small runs over what docs/options.md lists: numbers decide one choice after another, so that shrinking them shrinks the config.
import { writeFileSync } from "node:fs";
import { tape } from "./programs.ts";

type Map = Record<string, unknown>;
type Choose = ReturnType<typeof chooser>;

/** Choices from a list of numbers. */
export function chooser(numbers: readonly number[]) {
  const { pick } = tape(numbers);
  const one = <T>(...values: readonly T[]): T => values[pick(values.length)];
  const sometimes = (make: () => Map, oneIn = 3): Map => (pick(oneIn) === oneIn - 1 ? make() : {});
  const some = <T>(values: readonly T[], oneIn = 3): T[] => values.filter(() => pick(oneIn) === oneIn - 1);
  return { pick, one, sometimes, some };
}

const story = "It was a dark night, and the whale was white; so they went on. ".repeat(5);

/** Files that configs name, written into a folder. */
export function writeData(folder: string): void {
  const rows = Array.from({ length: 43 }, (_, i) => {
    const a = ((i * 37) % 23) / 23 - 0.5;
    return [
      a,
      ((i * 11) % 7) / 7,
      ["red", "green", "blue"][i % 3],
      a > 0 ? "yes" : "no",
      a * 2 + (i % 5) / 10,
      (i % 4) / 2,
    ];
  });
  writeFileSync(
    `${folder}/table.csv`,
    ["a,b,colour,label,value,weight", ...rows.map((row) => row.join(","))].join("\n"),
  );
  writeFileSync(`${folder}/story.txt`, story);
  const lines = Array.from({ length: 6 }, (_, i) => JSON.stringify({ text: story.slice(i * 7, i * 7 + 55) }));
  writeFileSync(`${folder}/story.jsonl`, lines.join("\n"));
}

interface Task {
  readonly model: Map;
  readonly loss?: unknown;
  readonly metrics: unknown[];
  readonly data: Map;
  /** The same data as they are validated on. */
  readonly held: Map;
  readonly kind: "classes" | "numbers" | "text" | "own";
  readonly transforms: (batch: number) => unknown[];
}

const inits = ["xavier_uniform", "kaiming_normal", "lecun_uniform", "orthogonal"];
const activations = ["relu", "gelu", "tanh", "sigmoid", "silu", "elu", "mish", "softplus", "hardSwish", "leakyRelu"];

const classLosses = ({ one }: Choose, classes: number) =>
  one<unknown>(
    "cross_entropy",
    { cross_entropy: { label_smoothing: 0.1 } },
    { cross_entropy: { class_weights: Array.from({ length: classes }, (_, i) => 1 + i / 4) } },
    { cross_entropy: { ignore_index: 1 } },
    { focal: { gamma: 1.5 } },
    { multi_margin: { power: 2 } },
    { cross_entropy: { reduction: "sum" } },
  );
const classMetrics = ({ some }: Choose) =>
  some<unknown>([
    "accuracy",
    { top_k_accuracy: { k: 2 } },
    { f_beta: { beta: 2, average: "weighted" } },
    "per_class_accuracy",
    "confusion_matrix",
    "perplexity",
    { mean: { loss: "cross_entropy" } },
    { precision: { average: "micro" } },
    "mean_iou",
  ]);
const numberLosses = ({ one }: Choose) =>
  one<unknown>("mse", "l1", { huber: { delta: 0.5 } }, { smooth_l1: { beta: 0.3 } }, { mse: { reduction: "sum" } });
const numberMetrics = ({ some }: Choose) => some<unknown>(["mae", "rmse", "r2", "mape", { mean: { loss: "l1" } }]);

const none = () => [];

const tasks: Readonly<Record<string, (choose: Choose, folder: string) => Task>> = {
  table(choose, folder) {
    const { one, sometimes, pick } = choose;
    const classes = pick(2) === 0;
    const target: Map = classes ? { target: "label", classes: ["no", "yes"] } : { target: "value" };
    const data = {
      name: "csv",
      file: `${folder}/table.csv`,
      ...target,
      inputs: ["a", "b", "colour"],
      categorical: ["colour"],
      ...sometimes(() => ({ standardize: one<unknown>(true, ["a"]) })),
      ...sometimes(() => ({ sample_weights: "weight" })),
    };
    return {
      kind: classes ? "classes" : "numbers",
      model: mlp(choose, 5, classes ? 2 : 1),
      loss: classes ? classLosses(choose, 2) : numberLosses(choose),
      metrics: classes ? classMetrics(choose) : numberMetrics(choose),
      data,
      held: data,
      transforms: (batch) => (classes && batch > 0 ? choose.some([{ mixup: { classes: 2 } }]) : []),
    };
  },
  digits(choose) {
    const { one, sometimes } = choose;
    const shape = [1, 8, 8];
    const model = one<() => Map>(
      () => mlp(choose, 64, 10),
      () => ({
        name: "cnn",
        input: shape,
        channels: one([2], [3, 2]),
        classes: 10,
        batch_norm: one(false, true),
        dropout: one(0, 0.2),
        ...sometimes(() => ({ init: one(...inits) })),
      }),
      () => ({
        name: "vit",
        input: shape,
        patch: 4,
        classes: 10,
        width: 8,
        heads: 2,
        layers: 1,
        dropout: one(0, 0.1),
        activation: one("gelu", "relu"),
      }),
    )();
    const split = { parts: [0.03, 0.02, 0.95], seed: 5 };
    return {
      kind: "classes",
      model,
      loss: classLosses(choose, 10),
      metrics: classMetrics(choose),
      data: { name: "digits", random_split: { ...split, part: 0 } },
      held: { name: "digits", random_split: { ...split, part: 1 } },
      transforms: () =>
        choose.some(
          [
            { random_crop: { padding: 1, shape } },
            { random_flip: { shape, axis: one("horizontal", "vertical") } },
            { random_erase: { size: [2, 3], shape } },
            { random_shift: { pixels: 1, shape } },
            { mixup: { classes: 10, alpha: 0.4 } },
          ],
          4,
        ),
    };
  },
  vae(choose) {
    const split = { parts: [0.02, 0.02, 0.96], seed: 5 };
    return {
      kind: "own",
      model: { name: "vae", inputs: 64, hidden: choose.one([6], [6, 4]), latent: 2 },
      metrics: [],
      data: { name: "digits", random_split: { ...split, part: 0 } },
      held: { name: "digits", random_split: { ...split, part: 1 } },
      transforms: none,
    };
  },
  heat(choose) {
    const { one, pick } = choose;
    const own = pick(2) === 0;
    const data = (seed: number | string) => ({ name: "heat_equation", samples: 29, seed });
    return {
      kind: own ? "own" : "numbers",
      model: own ? { name: "heat_pinn", hidden: one([4], [4, 3]) } : mlp(choose, 2, 1),
      ...(own ? {} : { loss: numberLosses(choose) }),
      metrics: numberMetrics(choose),
      data: data(1),
      held: data(2),
      transforms: none,
    };
  },
  text(choose, folder) {
    const { one, pick, sometimes } = choose;
    const lines = pick(2) === 0;
    const tokens = pick(3) === 0;
    const common: Map = {
      name: lines ? "jsonl" : "text",
      file: `${folder}/story.${lines ? "jsonl" : "txt"}`,
      context: 6,
      ...(tokens ? { tokens: 260 } : {}),
      ...sometimes(() => ({ stride: one(4, 9) })),
    };
    const vocabulary = tokens ? 260 : new Set(story).size + (lines ? 1 : 0);
    return {
      kind: "text",
      model: one<() => Map>(
        () => ({
          name: "gpt",
          vocabulary,
          context: 6,
          width: 8,
          heads: 2,
          layers: 1,
          dropout: one(0, 0.1),
          recompute: one(false, true),
        }),
        () => ({ name: "lstm_language_model", vocabulary, width: 6, layers: one(1, 2), dropout: one(0, 0.1) }),
      )(),
      loss: one<unknown>("cross_entropy", { cross_entropy: { label_smoothing: 0.1 } }),
      metrics: choose.some<unknown>(["accuracy", "perplexity", "bits_per_character"]),
      data: { ...common, split: "train" },
      held: { ...common, split: "validation" },
      transforms: none,
    };
  },
};

function mlp({ one, sometimes }: Choose, inputs: number, outputs: number): Map {
  return {
    name: "mlp",
    sizes: one([inputs, 5, outputs], [inputs, outputs], [inputs, 4, 3, outputs]),
    dropout: one(0, 0.2),
    activation: one(...activations),
    ...sometimes(() => ({ bias: false })),
    ...sometimes(() => ({ init: one(...inits) })),
  };
}

const plainOptimizers: readonly ((choose: Choose) => Map)[] = [
  ({ one, sometimes }) => ({
    SGD: { learning_rate: 0.05, ...sometimes(() => ({ momentum: 0.9, nesterov: one(true, false) }), 2) },
  }),
  ({ one }) => ({ AdamW: { lr: 0.01, weight_decay: one(0.01, 0.1), amsgrad: one(false, true) } }),
  () => ({ Adam: { learning_rate: 0.01, betas: [0.8, 0.9] } }),
  () => ({ Adadelta: { learning_rate: 1 } }),
  ({ one }) => ({ Adafactor: { learning_rate: 0.01, relative_step: one(false, true), ...one({}, { beta1: 0.9 }) } }),
  () => ({ Adagrad: { learning_rate: 0.05, learning_rate_decay: 0.1 } }),
  () => ({ Adamax: { learning_rate: 0.01 } }),
  () => ({ ASGD: { learning_rate: 0.05, t0: 2 } }),
  () => ({ Lamb: { learning_rate: 0.01, weight_decay: 0.01 } }),
  () => ({ Lion: { learning_rate: 0.003 } }),
  ({ one }) => ({ Muon: { learning_rate: 0.02, adjust: one("original", "match_rms_adamw") } }),
  ({ one }) => ({ NAdam: { learning_rate: 0.01, decoupled_weight_decay: one(false, true), weight_decay: 0.02 } }),
  () => ({ RAdam: { learning_rate: 0.01 } }),
  ({ one }) => ({ RMSprop: { learning_rate: 0.003, centered: one(false, true), momentum: one(0, 0.5) } }),
  () => ({ Rprop: { learning_rate: 0.01 } }),
  ({ one, sometimes }) => ({
    LBFGS: {
      learning_rate: 0.1,
      history_size: one(2, 10),
      ...sometimes(() => ({ line_search: one("armijo", "strong_wolfe"), line_search_steps: 3 }), 2),
    },
  }),
];

function optimizer(choose: Choose): Map {
  const { pick, one, sometimes } = choose;
  const plain = plainOptimizers[pick(plainOptimizers.length)](choose);
  const [[name, options]] = Object.entries(plain) as [string, Map][];
  const grouped = {
    [name]: {
      ...options,
      ...sometimes(
        () => ({
          groups: [
            {
              parameters: one<unknown>("*", "*.weight", ["*.bias"], "0.*"),
              ...one<Map>({ learning_rate: 0.02 }, { tags: ["head"] }, { adjust_learning_rate: 0.5 }),
            },
          ],
        }),
        5,
      ),
    },
  };
  const wrapped = pick(6);
  if (wrapped === 4) return { Lookahead: { optimizer: grouped, every: one(2, 3), alpha: one(0.5, 0.8) } };
  if (wrapped === 5) return { SAM: { optimizer: grouped, adaptive: one(false, true) } };
  return grouped;
}

function schedule(choose: Choose, validates: boolean, depth = 0): Map {
  const { one, pick } = choose;
  const total = () => one<unknown>(5, 3, "1dur", "0.5dur", "1ep");
  const warm = () => choose.sometimes(() => ({ warmup: one<unknown>(2, "0.2dur") }));
  const all: readonly (() => Map)[] = [
    () => ({ ConstantLR: { learning_rate: 0.02, ...choose.sometimes(() => ({ total_iters: total() })) } }),
    () => ({ LinearLR: { initial_learning_rate: 0, end_learning_rate: 0.03, total_iters: total(), ...warm() } }),
    () => ({ CosineDecayLR: { initial_learning_rate: 0.03, end_learning_rate: 0, total_iters: total(), ...warm() } }),
    () => ({
      PolynomialLR: {
        initial_learning_rate: 0.03,
        end_learning_rate: 0.001,
        total_iters: total(),
        power: 2,
        cycle: one(false, true),
      },
    }),
    () => ({
      ExponentialLR: { initial_learning_rate: 0.03, decay_rate: 0.7, total_iters: 2, staircase: one(false, true) },
    }),
    () => ({ StepLR: { initial_learning_rate: 0.03, step_size: one<unknown>(2, "1ep"), gamma: 0.5 } }),
    () => ({
      MultiStepLR: { initial_learning_rate: 0.03, gamma: 0.5, milestones: one<unknown>([2, 4], ["1ep", "2ep"]) },
    }),
    () => ({ PiecewiseConstantLR: { learning_rates: [0.03, 0.01], milestones: [3] } }),
    () => ({ CosineAnnealingLR: { initial_learning_rate: 0.03, T_max: total(), eta_min: 0.001 } }),
    () => ({ CosineAnnealingWarmRestarts: { initial_learning_rate: 0.03, T_0: 2, T_mult: 2 } }),
    () => ({
      OneCycleLR: { initial_learning_rate: 0.001, max_lr: 0.03, total_steps: "1dur", three_phase: one(false, true) },
    }),
    () => ({
      CyclicLR: {
        base_lr: 0.001,
        max_lr: 0.03,
        step_size_up: 2,
        mode: one("triangular", "triangular2", "exp_range"),
        gamma: 0.9,
      },
    }),
    () => ({ InverseSquareRootDecayLR: { initial_learning_rate: 0.03, warmup_steps: 2 } }),
    () => ({
      InverseExponentialTimeDecayLR: {
        initial_learning_rate: 0.03,
        total_iters: 2,
        decay_rate: 0.5,
        step_exponent: 1.5,
      },
    }),
    () => ({ MultiplicativeLR: { initial_learning_rate: 0.03, coefficient: 0.9 } }),
    () => ({ ConstantWD: { val: 0.05 } }),
    () => ({ CosineDecayWD: { initial_val: 0.1, end_val: 0, total_iters: total() } }),
  ];
  const picked = pick(all.length + (validates ? 3 : 0) + (depth === 0 ? 3 : 0));
  if (picked < all.length) return all[picked]();
  if (depth === 0 && picked < all.length + 3) {
    const inner = () => schedule(choose, false, 1);
    const lr = () => {
      const found = inner();
      return Object.keys(found)[0].endsWith("WD") ? { ConstantLR: { learning_rate: 0.01, total_iters: 2 } } : found;
    };
    return one<() => Map>(
      () => ({ SequentialLR: { schedulers: [lr(), lr()], milestones: [one(2, 3)] } }),
      () => ({ ChainedLR: { schedulers: [lr(), lr()] } }),
      () => ({ ScalePerParamLR: { scheduler: lr() } }),
    )();
  }
  return one<Map>(
    { ReduceOnPlateauLR: { initial_learning_rate: 0.05, patience: 0, factor: 0.5, threshold: 0.5 } },
    {
      ReduceOnPlateauWD: {
        initial_val: 0.05,
        patience: one(0, 1),
        factor: 0.5,
        threshold: 0.01,
        threshold_mode: "abs",
      },
    },
  );
}

/** What changes training, or decides how long it is. */
function steering(choose: Choose, validates: boolean): Map[] {
  const { one, some } = choose;
  return some<Map>(
    [
      {
        ExponentialMovingAverage: {
          decay: 0.5,
          warmup: one(false, true),
          validate: one(true, false),
          ...choose.sometimes(() => ({ every: 2 })),
        },
      },
      { StochasticWeightAveraging: { start: one<unknown>(2, 0.5, "0.5dur"), validate: false } },
      ...(validates
        ? [{ EarlyStopping: { patience: one(1, 2), restore_best: one(false, true), min_delta: one(0, 0.05) } }]
        : []),
      { SelectiveGrad: { freeze: one(["*.bias"], ["0.*"], ["*.weight"]) } },
      { Lora: { rank: 2, train: one<string[]>([], ["*.bias"]) } },
      {
        Sparsity: {
          sparsity: 0.5,
          ...one<Map>({}, { method: "random" }, { schedule: { end: 4, every: 2 } }, { schedule: { end: "0.8dur" } }),
        },
      },
      { LearningRateFinder: { steps: 10, apply: one(true, false) } },
      { SkipSamples: { samples: one(0, 8, 16) } },
    ],
    8,
  );
}

/** What only watches. */
function watching(choose: Choose): Map[] {
  const { some, one } = choose;
  return some<Map>(
    [
      { ComputeNorm: { per_layer: one(false, true) } },
      { CountParams: {} },
      { NaNChecker: { every: one(1, 2) } },
      {
        TensorSummaries: {
          parameters: ["*"],
          gradients: ["*"],
          activations: one<string[]>([], ["*"]),
          histograms: false,
        },
      },
      { DumpActivations: { every: 2 } },
      { LogOptimizerParamGroup: {} },
      { SaveCheckpointState: { states: ["model", "optimizer"] } },
      { ModelSummary: {} },
      { SanityValidation: { steps: 1 } },
      { RateProfiler: {} },
      { DurationProfiler: {} },
      { FlopUtilization: {} },
      { BatchSizeFinder: { maximum: 2, steps: 1 } },
      { GlobalFlags: { log_steps: 2 } },
    ],
    9,
  );
}

const isDecay = (scheduler: Map) => Object.keys(scheduler)[0].endsWith("WD");
/** One of the rates, and one of the decays. */
const distinct = (schedulers: readonly Map[]): Map[] =>
  schedulers.filter((each, i) => schedulers.findIndex((other) => isDecay(other) === isDecay(each)) === i);

/** A config, and what a test must know of it. */
export interface Spelled {
  readonly config: { readonly trainer: { readonly init: Map; readonly fit: Map } };
  /** Whether it says that validation decides something. */
  readonly validates: boolean;
}

/** The config that numbers spell, its files in a folder, but for where it is run and how. */
export function configOf(numbers: readonly number[], folder: string): Spelled {
  const choose = chooser(numbers);
  const { pick, one, sometimes } = choose;
  const names = Object.keys(tasks);
  const task = tasks[names[pick(names.length)]](choose, folder);
  const batch = one(8, 5, 7, 3, 12);
  const validates = pick(3) > 0;
  const splits = validates && pick(4) === 3 && task.kind !== "text";
  const augment = task.transforms(batch);
  const train: Map = {
    ...task.data,
    batch_size: batch,
    ...sometimes(() => ({ shuffle: true }), 2),
    ...sometimes(() => ({ drop_last: one(true, false) })),
    ...(augment.length > 0 ? { augment } : {}),
    ...(splits ? { validation_split: one(0.25, 0.3) } : {}),
  };
  if (train.shuffle && pick(5) === 4) train.shuffle_window = one(2, 7, 100);
  if (train.shuffle && pick(5) === 4) train.shuffle_seed = one(0, 5, 3);
  const held = (size: number): Map => ({ ...task.held, batch_size: size });
  const vals: Map =
    !validates || splits
      ? {}
      : one<Map>(
          { val_dataloader: held(one(6, 64)) },
          { val_dataloader: held(9) },
          { val_dataloader: [held(6), { ...held(10), ...sometimes(() => ({ shuffle: true })) }] },
        );
  const set = pick(8) === 7 && ["mlp", "cnn"].includes(task.model.name as string) && task.model.bias !== false;
  const chosen = optimizer(choose);
  const decays = /weight_decay|AdamW/.test(JSON.stringify(chosen));
  const schedulers = set
    ? []
    : distinct(choose.some([0, 1], 3).map(() => schedule(choose, validates))).filter(
        (each) => decays || !isDecay(each),
      );
  const mixed = one<Map>(
    {},
    {},
    {},
    { fp16_type: "bfloat16" },
    {
      fp16_type: "float16",
      loss_scaling_factor: one<unknown>(1024, "dynamic"),
      log_loss_scale: one(false, true),
      ...one<Map>({}, { initial_loss_scale: 16777216, steps_per_increase: 2 }),
    },
  );
  const precision = {
    ...mixed,
    ...sometimes(() => ({ max_gradient_norm: one(1, 0.1) }), 4),
    ...sometimes(() => ({ max_gradient_value: 0.05 }), 5),
  };
  const limits = one<Map>(
    { num_steps: one(6, 7, 4) },
    { num_epochs: 2, max_steps: 7 },
    { num_epochs: 2, steps_per_epoch: 3 },
  );
  const init: Map = {
    seed: one<unknown>(7, 0, 1, 12345678901),
    model: task.model,
    ...(task.loss === undefined ? {} : { loss: task.loss }),
    metrics: task.metrics,
    ...(set
      ? {
          optimizers: [
            { optimizer: optimizer(choose), parameters: "*.weight" },
            { optimizer: optimizer(choose), parameters: "*.bias", frequency: one(1, 2) },
          ],
        }
      : { optimizer: chosen }),
    ...(schedulers.length > 0 ? { schedulers } : {}),
    ...(Object.keys(precision).length > 0 ? { precision } : {}),
    loop: {
      ...limits,
      ...(validates ? { eval_frequency: one<unknown>(2, 1, 3, "epoch", "end", 0.3, "1ep") } : {}),
      ...sometimes(() => ({ eval_steps: 1 }), 5),
      ...sometimes(() => ({ grad_accum_steps: one(2, 3) }), 4),
      ...sometimes(() => ({ overfit_batches: one(1, 2) }), 8),
    },
    callbacks: [...steering(choose, validates), ...watching(choose)],
    checkpoint: {
      ...sometimes(() => ({ steps: one<unknown>(1, 2, 3, "1ep", "0.4dur") }), 2),
      ...sometimes(() => ({ keep: one(1, 2) })),
      ...sometimes(() => ({ save_initial_checkpoint: true }), 4),
      ...(validates ? sometimes(() => ({ keep_best: { metric: "loss", k: one(1, 2) } }), 4) : {}),
    },
    logging: { log_steps: one<unknown>(1, 2, 3, "1ep"), log_level: "silent" },
    loggers: [{ ProgressLogger: null }, ...choose.some([{ TensorBoardLogger: {} }])],
  };
  return { config: { trainer: { init, fit: { train_dataloader: train, ...vals } } }, validates };
}
