// Recurrent layers: simple (Elman), LSTM and GRU, with PyTorch's formulas, order of gates, names and initial weights, so that its weights load. Inputs are
// multiplied for all times at once; what is repeated is the state's part alone.
import {
  boolean,
  checkArguments,
  either,
  kind,
  number,
  oneOf,
  options as optionsOf,
  signature,
} from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape, typeText } from "../core/shape.ts";
import { atOneSite } from "../graph/site.ts";
import { checkProbability } from "../ops/random.ts";
import { Parameter } from "../program/variable.ts";
import { tensor, tensors } from "../tensor/arguments.ts";
import { zeros } from "../tensor/creation.ts";
import { concat, dropout, linear, matmul, stack, uniform, where } from "../tensor/families/basic.ts";
import { scan } from "../tensor/scan.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Cell, elman, gated, longShort } from "./cells.ts";
import { affineParameters, checkStack } from "./check.ts";
import { checked, extent, factoryOf, Layer } from "./layer.ts";
import type { Reads } from "./module.ts";

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
const weightNames = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
type Weights = readonly [ih: Parameter, hh: Parameter, ihBias?: Parameter, hhBias?: Parameter];

const plain = { "layers?": number, "bidirectional?": boolean, "dropout?": number, "bias?": boolean };
const sizes = { inputs: extent, hidden: extent };
const ofRnn = optionsOf<RnnOptions>({ ...plain, "nonlinearity?": oneOf(["tanh", "relu"]) });
const calls = {
  rnn: signature("nn.rnn", { ...sizes, "options?": ofRnn }),
  lstm: signature("nn.lstm", { ...sizes, "options?": optionsOf<RecurrentOptions>(plain) }),
  gru: signature("nn.gru", { ...sizes, "options?": optionsOf<RecurrentOptions>(plain) }),
};
const states = kind("a tensor, or a list of them", either(tensor, tensors).accepts);
const ofRun = { inputs: tensor, "options?": optionsOf<SequenceOptions>({ "state?": states, "mask?": tensor }) };

/**
 * Layers over sequences. inputs: [batch, time, inputs] → [batch, time, hidden], or 2·hidden where bidirectional; of the batch `mask` and `state`, as `run` has them. Parameters, for layer l, with `_reverse` behind for its
 * second half: `weight_ih_l<l>` [gates·hidden, its inputs], `weight_hh_l<l>` [gates·hidden, hidden], `bias_ih_l<l>`, `bias_hh_l<l>` [gates·hidden], all from U(±1/√hidden) in this order,
 * as PyTorch's. `State`: what they come to after the last step: a tensor, or each of the cell's states.
 */
abstract class Recurrent<State> extends Layer<Tensor, Reads<"mask" | "state">> {
  readonly inputs: number;
  readonly hidden: number;
  readonly layers: number;
  readonly bidirectional: boolean;
  /** Probability on the outputs of every layer but the last. */
  readonly dropout: number;
  protected readonly cell: Cell;

  constructor(where: string, cell: Cell, inputs: number, hidden: number, options: RecurrentOptions) {
    super(where);
    const { layers = 1, bidirectional = false, dropout: p = 0, bias = true } = options;
    checkProbability(where, p);
    const directions = bidirectional ? 2 : 1;
    const width = cell.gates * hidden;
    const ofLayer = affineParameters(directions * hidden, width, bias) + affineParameters(hidden, width, bias);
    checkStack(where, layers, layers * directions * ofLayer + affineParameters(inputs, width));
    this.cell = cell;
    this.inputs = inputs;
    this.hidden = hidden;
    this.layers = layers;
    this.bidirectional = bidirectional;
    this.dropout = p;
    const bound = 1 / Math.sqrt(hidden);
    const own = this as unknown as Record<string, Parameter>;
    for (const { end, layer } of this.#halves()) {
      const before = layer === 0 ? inputs : directions * hidden;
      const shapes = [[width, before], [width, hidden], ...(bias ? [[width], [width]] : [])];
      shapes.forEach((shape, i) => {
        own[`${weightNames[i]}_${end}`] = new Parameter(uniform(shape, -bound, bound));
      });
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

  protected override apply(inputs: Tensor, beside: Reads<"mask" | "state"> = {}): Tensor {
    return this.#sequence(inputs, beside)[0];
  }

  /** inputs: [batch, time, inputs] → [outputs, state], state: [layers·directions, batch, hidden] after the last step, of an LSTM two such, h and c. Throws ShapeError. */
  run(inputs: Tensor, options: SequenceOptions = {}): [outputs: Tensor, state: State] {
    checkArguments(signature(`${this.where}.run`, ofRun), arguments);
    const [outputs, last] = this.#sequence(inputs, options);
    return [outputs, (last.length === 1 ? last[0] : last) as State];
  }

  /** Outputs, and each state stacked over layers and directions. */
  #sequence(inputs: Tensor, { state, mask }: SequenceOptions): [Tensor, Tensor[]] {
    const { where, cell, hidden } = this;
    const [batch, time] = inputs.shape;
    if (inputs.rank !== 3 || inputs.shape[2] !== this.inputs || inputs.dtype !== "float32") {
      const expected = `float32[batch, time, ${this.inputs}]`;
      refuse(ShapeError, where, "not a batch of sequences", typeText(inputs), expected);
    }
    if (mask && !(mask.dtype === "bool" && sameShape(mask.shape, [batch, time])))
      refuse(ShapeError, where, "not a mask of the sequences", typeText(mask), `bool[${batch}, ${time}]`);
    const halves = this.#halves();
    const shape = [halves.length, batch, hidden];
    const given =
      state instanceof Tensor ? [state] : (state ?? Array.from({ length: cell.states }, () => zeros(shape)));
    if (given.length !== cell.states || given.some((each) => !sameShape(each.shape, shape))) {
      const got = given.map((each) => formatShape(each.shape)).join(", ");
      const expected = `${cell.states === 1 ? "a tensor" : `${cell.states} tensors`} of ${formatShape(shape)}`;
      const hint = state instanceof Tensor && cell.states > 1 ? "run(inputs, { state: [h, c] }) takes both" : undefined;
      refuse(ShapeError, where, "not the layers' state", got, expected, hint);
    }
    const own = this as unknown as Record<string, Parameter>;
    const last: (readonly Tensor[])[] = [];
    let outputs = inputs;
    for (let layer = 0; layer < this.layers; layer++) {
      if (layer > 0 && this.training && this.dropout > 0) outputs = dropout(outputs, this.dropout);
      const sides = halves
        .filter((half) => half.layer === layer)
        .map(({ end, reverse }) => {
          const begin = given.map((each) => each.slice([last.length]).reshape([batch, hidden]));
          const weights = weightNames.map((name) => own[`${name}_${end}`]) as readonly Parameter[] as Weights;
          const [side, after] = runHalf(cell, weights, outputs, { states: begin, mask, reverse });
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

/** How one direction of a layer begins and goes. */
interface Half extends Pick<SequenceOptions, "mask"> {
  readonly states: readonly Tensor[];
  readonly reverse: boolean;
}

/** One direction of one layer. inputs: [batch, time, …] → outputs [batch, time, hidden], and the states after its last step. */
function runHalf(
  cell: Cell,
  [ih, hh, ihBias, hhBias]: Weights,
  inputs: Tensor,
  { states, mask, reverse }: Half,
): [Tensor, readonly Tensor[]] {
  // Where a cell adds both products so are both biases, once; a GRU multiplies the second.
  const isAdded = cell !== gated;
  const all = linear(inputs, ih, isAdded && ihBias && hhBias ? ihBias.add(hhBias) : ihBias);
  const turned = hh.transpose();
  const recurrent = (h: Tensor) => (isAdded || !hhBias ? matmul(h, turned) : matmul(h, turned).add(hhBias));
  const step = (before: readonly Tensor[], [x, here]: readonly Tensor[]): [readonly Tensor[], Tensor] => {
    const after = cell.step(x, before, recurrent);
    if (!here) return [after, after[0]];
    const there = here.reshape([here.shape[0], 1]).broadcastTo(after[0].shape);
    return [after.map((each, i) => where(there, each, before[i])), where(there, after[0], 0)];
  };
  // No line of a caller's is in the body: one look at the stack serves all of it.
  const [last, outputs] = atOneSite(() => scan(step, states, mask ? [all, mask] : [all], { axis: 1, reverse }));
  return [outputs, last];
}

/** Elman layers: h' = tanh(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh), or relu. See `Recurrent` for shapes and parameters. */
export class Rnn extends Recurrent<Tensor> {
  constructor(inputs: number, hidden: number, options: RnnOptions = {}) {
    super(checked(calls.rnn, arguments), elman(options.nonlinearity ?? "tanh"), inputs, hidden, options);
  }
}

/** LSTM layers: i, f, o = σ, g = tanh of the sums of both products; c' = f·c + i·g; h' = o·tanh(c'). See `Recurrent` for shapes and parameters. */
export class Lstm extends Recurrent<[h: Tensor, c: Tensor]> {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(checked(calls.lstm, arguments), longShort, inputs, hidden, options);
  }
}

/** GRU layers: r, z = σ of the sums of both products; n = tanh(x·W_inᵀ + b_in + r·(h·W_hnᵀ + b_hn)); h' = (1 − z)·n + z·h. See `Recurrent` for shapes and parameters. */
export class Gru extends Recurrent<Tensor> {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(checked(calls.gru, arguments), gated, inputs, hidden, options);
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
