// Recurrent layers: simple (Elman), LSTM and GRU, with PyTorch's formulas, order of gates, names and initial weights, so that its weights load. Inputs are
// multiplied for all times at once; what is repeated is the state's part alone.
import { boolean, checkArguments, kind, number, oneOf, options as optionsOf, signature } from "../core/arguments.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape, sameShape } from "../core/shape.ts";
import { checkProbability } from "../ops/random.ts";
import { Parameter } from "../program/variable.ts";
import { tensor } from "../tensor/arguments.ts";
import { zeros } from "../tensor/creation.ts";
import { concat, dropout, linear, matmul, stack, uniform, where } from "../tensor/families/basic.ts";
import { scan } from "../tensor/scan.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Cell, elman, gated, longShort } from "./cells.ts";
import { affineParameters, checkCounts, checkForward, checkStack } from "./check.ts";
import { type Batch, factoryOf, Module } from "./module.ts";

export interface RecurrentOptions {
  /** How many layers, each over the outputs of the one before (1). */
  readonly layers?: number;
  /** Whether each layer has a second half that goes from the last time to the first; its outputs stand behind the first's. */
  readonly bidirectional?: boolean;
  /** In training: probability on the outputs of every layer but the last (0). */
  readonly dropout?: number;
  /** Whether both products have a bias (true). */
  readonly bias?: boolean;
}

export interface RnnOptions extends RecurrentOptions {
  /** tanh unless given. */
  readonly nonlinearity?: "tanh" | "relu";
}

/** What a sequence begins with, and how much of each is there. */
export interface SequenceOptions {
  /** What the layers begin with, as `run` gives it; zeros unless given. */
  readonly state?: Tensor | readonly Tensor[];
  /** [batch, time] bool: where it is false a step is passed over: the state stays, outputs are 0. Padding before or behind, or anywhere. */
  readonly mask?: Tensor;
}

/** The parameters of one direction of one layer, by PyTorch's names without the end. */
interface Weights {
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih?: Parameter;
  readonly bias_hh?: Parameter;
}

/**
 * Layers over sequences. inputs: [batch, time, inputs] → [batch, time, hidden], or 2·hidden where bidirectional. Parameters, for layer l, with `_reverse` behind for its
 * second half: `weight_ih_l<l>` [gates·hidden, its inputs], `weight_hh_l<l>` [gates·hidden, hidden], `bias_ih_l<l>`, `bias_hh_l<l>` [gates·hidden], all from U(±1/√hidden) in this order,
 * as PyTorch's.
 */
abstract class Recurrent extends Module {
  readonly inputs: number;
  readonly hidden: number;
  readonly layers: number;
  readonly bidirectional: boolean;
  /** Probability on the outputs of every layer but the last. */
  readonly dropout: number;
  protected readonly cell: Cell;

  constructor(cell: Cell, inputs: number, hidden: number, options: RecurrentOptions) {
    super();
    const { layers = 1, bidirectional = false, dropout: p = 0, bias = true } = options;
    const { name, gates } = cell;
    checkCounts(name, { inputs, hidden });
    checkProbability(`nn.${name}`, p);
    const directions = bidirectional ? 2 : 1;
    const width = gates * hidden;
    const ofLayer = affineParameters(directions * hidden, width, bias) + affineParameters(hidden, width, bias);
    checkStack(name, layers, layers * directions * ofLayer + affineParameters(inputs, width));
    this.cell = cell;
    this.inputs = inputs;
    this.hidden = hidden;
    this.layers = layers;
    this.bidirectional = bidirectional;
    this.dropout = p;
    const bound = 1 / Math.sqrt(hidden);
    const own = this as unknown as Record<string, Parameter>;
    for (const { end, layer } of this.#halves()) {
      const make = (what: string, shape: Shape) => {
        own[`${what}_${end}`] = new Parameter(uniform(shape, -bound, bound));
      };
      make("weight_ih", [width, layer === 0 ? inputs : directions * hidden]);
      make("weight_hh", [width, hidden]);
      if (bias) for (const what of ["bias_ih", "bias_hh"]) make(what, [width]);
    }
  }

  /** Layers and directions, as states are numbered, and how their parameters' names end. */
  #halves(): { readonly layer: number; readonly reverse: boolean; readonly end: string }[] {
    return Array.from({ length: this.layers }, (_, layer) =>
      (this.bidirectional ? [false, true] : [false]).map((reverse) => ({
        layer,
        reverse,
        end: `l${layer}${reverse ? "_reverse" : ""}`,
      })),
    ).flat();
  }

  #weights(end: string): Weights {
    const own = this as unknown as Record<string, Parameter | undefined>;
    const names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
    return Object.fromEntries(names.map((name) => [name, own[`${name}_${end}`]])) as unknown as Weights;
  }

  override forward(inputs: Tensor, _batch?: Batch): Tensor {
    checkForward(`nn.${this.cell.name}`, arguments);
    return this.sequence(inputs, {})[0];
  }

  /** Outputs, and each state stacked over layers and directions. */
  protected sequence(inputs: Tensor, { state, mask }: SequenceOptions): [Tensor, Tensor[]] {
    const { cell, hidden } = this;
    const { name } = cell;
    const where = `nn.${name}`;
    if (inputs.rank !== 3 || inputs.shape[2] !== this.inputs || inputs.dtype !== "float32") {
      throw new ShapeError({
        where,
        problem: "not a batch of sequences",
        got: `${inputs.dtype}${formatShape(inputs.shape)}`,
        expected: `float32[batch, time, ${this.inputs}]`,
      });
    }
    const [batch, time] = inputs.shape;
    if (mask && !(mask.dtype === "bool" && sameShape(mask.shape, [batch, time]))) {
      throw new ShapeError({
        where,
        problem: "not a mask of the sequences",
        got: `${mask.dtype}${formatShape(mask.shape)}`,
        expected: `bool[${batch}, ${time}]`,
      });
    }
    const halves = this.#halves();
    const shape = [halves.length, batch, hidden];
    const given =
      state instanceof Tensor ? [state] : (state ?? Array.from({ length: cell.states }, () => zeros(shape)));
    if (given.length !== cell.states || given.some((each) => !sameShape(each.shape, shape))) {
      throw new ShapeError({
        where,
        problem: "not the layers' state",
        got: given.map((each) => formatShape(each.shape)).join(", "),
        expected: `${cell.states === 1 ? "a tensor" : `${cell.states} tensors`} of ${formatShape(shape)}`,
      });
    }
    const last: (readonly Tensor[])[] = [];
    let outputs = inputs;
    for (let layer = 0; layer < this.layers; layer++) {
      if (layer > 0 && this.training && this.dropout > 0) outputs = dropout(outputs, this.dropout);
      const sides = halves
        .filter((half) => half.layer === layer)
        .map(({ end, reverse }) => {
          const begin = given.map((each) => each.slice([last.length]).reshape([batch, hidden]));
          const [side, after] = runHalf(cell, this.#weights(end), outputs, { states: begin, mask, reverse });
          last.push(after);
          return side;
        });
      outputs = sides.length > 1 ? concat(sides, 2) : sides[0];
    }
    return [outputs, given.map((_, i) => stack(last.map((states) => states[i])))];
  }

  protected override describe(): string {
    const more = [
      this.layers > 1 && `${this.layers} layers`,
      this.bidirectional && "bidirectional",
      this.dropout > 0 && `dropout ${this.dropout}`,
    ];
    return `(${[`${this.inputs} → ${this.hidden}`, ...more.filter(Boolean)].join(", ")})`;
  }
}

/** One direction of one layer. inputs: [batch, time, …] → outputs [batch, time, hidden], and the states after its last step. */
function runHalf(
  cell: Cell,
  { weight_ih, weight_hh, bias_ih, bias_hh }: Weights,
  inputs: Tensor,
  {
    states,
    mask,
    reverse,
  }: { readonly states: readonly Tensor[]; readonly mask: Tensor | undefined; readonly reverse: boolean },
): [Tensor, readonly Tensor[]] {
  // Where a cell adds both products so are both biases, once; a GRU multiplies the second.
  const isAdded = cell !== gated;
  const all = linear(inputs, weight_ih, isAdded && bias_ih && bias_hh ? bias_ih.add(bias_hh) : bias_ih);
  const turned = weight_hh.transpose();
  const recurrent = (h: Tensor) => (isAdded || !bias_hh ? matmul(h, turned) : matmul(h, turned).add(bias_hh));
  type States = readonly Tensor[];
  const step = (before: States, x: Tensor, here?: Tensor): [States, Tensor] => {
    const after = cell.step(x, before, recurrent);
    if (!here) return [after, after[0]];
    const there = here.reshape([here.shape[0], 1]).broadcastTo(after[0].shape);
    return [after.map((each, i) => where(there, each, before[i])), where(there, after[0], 0)];
  };
  const options = { axis: 1, reverse };
  const [last, outputs] = mask
    ? scan(
        (before: States, [x, here]: readonly [Tensor, Tensor]) => step(before, x, here),
        states,
        [all, mask],
        options,
      )
    : scan((before: States, x: Tensor) => step(before, x), states, all, options);
  return [outputs, last];
}

const plain = { "layers?": number, "bidirectional?": boolean, "dropout?": number, "bias?": boolean };
const sizes = { inputs: number, hidden: number };
const ofRnn = optionsOf<RnnOptions>({ ...plain, "nonlinearity?": oneOf(["tanh", "relu"]) });
const calls = {
  rnn: signature("nn.rnn", { ...sizes, "options?": ofRnn }),
  lstm: signature("nn.lstm", { ...sizes, "options?": optionsOf<RecurrentOptions>(plain) }),
  gru: signature("nn.gru", { ...sizes, "options?": optionsOf<RecurrentOptions>(plain) }),
};
const states = kind(
  "a tensor, or a list of them",
  (value) => value instanceof Tensor || (Array.isArray(value) && value.every((each) => each instanceof Tensor)),
);
const runCall = (name: string) =>
  signature(`nn.${name}.run`, {
    inputs: tensor,
    "options?": optionsOf<SequenceOptions>({ "state?": states, "mask?": tensor }),
  });
const runCalls = { rnn: runCall("rnn"), lstm: runCall("lstm"), gru: runCall("gru") };

/** Elman layers: h' = tanh(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh), or relu. See `Recurrent` for shapes and parameters. */
export class Rnn extends Recurrent {
  constructor(inputs: number, hidden: number, options: RnnOptions = {}) {
    checkArguments(calls.rnn, arguments);
    super(elman(options.nonlinearity ?? "tanh"), inputs, hidden, options);
  }

  /** inputs: [batch, time, inputs] → [outputs, state], state: [layers·directions, batch, hidden] after the last step. Throws ShapeError. */
  run(inputs: Tensor, options: SequenceOptions = {}): [outputs: Tensor, state: Tensor] {
    checkArguments(runCalls.rnn, arguments);
    const [outputs, [h]] = this.sequence(inputs, options);
    return [outputs, h];
  }
}

/** LSTM layers: i, f, o = σ, g = tanh of the sums of both products; c' = f·c + i·g; h' = o·tanh(c'). See `Recurrent` for shapes and parameters. */
export class Lstm extends Recurrent {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    checkArguments(calls.lstm, arguments);
    super(longShort, inputs, hidden, options);
  }

  /** inputs: [batch, time, inputs] → [outputs, [h, c]], both states [layers·directions, batch, hidden] after the last step. Throws ShapeError. */
  run(inputs: Tensor, options: SequenceOptions = {}): [outputs: Tensor, state: [h: Tensor, c: Tensor]] {
    checkArguments(runCalls.lstm, arguments);
    const [outputs, [h, c]] = this.sequence(inputs, options);
    return [outputs, [h, c]];
  }
}

/** GRU layers: r, z = σ of the sums of both products; n = tanh(x·W_inᵀ + b_in + r·(h·W_hnᵀ + b_hn)); h' = (1 − z)·n + z·h. See `Recurrent` for shapes and parameters. */
export class Gru extends Recurrent {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    checkArguments(calls.gru, arguments);
    super(gated, inputs, hidden, options);
  }

  /** inputs: [batch, time, inputs] → [outputs, state], state: [layers·directions, batch, hidden] after the last step. Throws ShapeError. */
  run(inputs: Tensor, options: SequenceOptions = {}): [outputs: Tensor, state: Tensor] {
    checkArguments(runCalls.gru, arguments);
    const [outputs, [h]] = this.sequence(inputs, options);
    return [outputs, h];
  }
}

/** Elman layers from `inputs` to `hidden` features, over [batch, time, inputs]; PyTorch's `nn.RNN(batch_first=True)`. Throws ShapeError.
 * @torch torch.nn.RNN
 * @example nn.rnn(4, 8).forward(zeros([2, 5, 4])) */
export const rnn = /* @__PURE__ */ factoryOf(Rnn);

/** LSTM layers from `inputs` to `hidden` features, over [batch, time, inputs]; PyTorch's `nn.LSTM(batch_first=True)`. Throws ShapeError.
 * @torch torch.nn.LSTM
 * @example nn.lstm(4, 8).forward(zeros([2, 5, 4])) */
export const lstm = /* @__PURE__ */ factoryOf(Lstm);

/** GRU layers from `inputs` to `hidden` features, over [batch, time, inputs]; PyTorch's `nn.GRU(batch_first=True)`. Throws ShapeError.
 * @torch torch.nn.GRU
 * @example nn.gru(4, 8).forward(zeros([2, 5, 4])) */
export const gru = /* @__PURE__ */ factoryOf(Gru);
