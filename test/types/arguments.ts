// What doesn't compile: the compiler holds each line below to an error. Nothing here runs.
import {
  arange,
  compile,
  customGradient,
  gradients,
  hvp,
  losses,
  matmul,
  max,
  nn,
  optim,
  relu,
  scan,
  sub,
  sum,
  type Tensor,
  type TrainerOptions,
  tensor,
  Variable,
  valueAndGrad,
  vjp,
  where,
} from "../../src/index.ts";

const x = tensor([1, 2]);
const state = new Variable(x);
const product = (a: Tensor, b: Tensor) => a.mul(b).sum();

/** Right calls, in every form that is meant. */
export const right = () => [
  x.sum(0),
  x.sum([0]),
  sum(x, { axis: 0, keepDims: true }),
  tensor([1, 2], "int32"),
  tensor([1, 2], [2, 1]),
  arange(0, 1, 0.25),
  relu(x),
  sub(1, x),
  where(x.greater(0), x, 0),
  compile((a: Tensor, { rate }: { rate: Tensor }) => a.mul(rate))(x, { rate: 0.1 }),
  // A carry may begin with a variable, wherever it lies: the body has and gives tensors.
  scan((h, each: Tensor) => [h.add(each), h], state, x)[0].mul(2),
  scan(({ list: [h], c }, each: Tensor) => [{ list: [h.add(each)], c }, null], { list: [state], c: x }, x),
];

const whole = { inputs: x, targets: x };

/** What stands beside a layer's inputs: a batch, or what the layer reads of one, or nothing of it. */
export const beside = (batch: nn.Batch, mask: Tensor | undefined) => [
  nn.multiHeadAttention(4, 2).forward(x, batch),
  nn.transformerDecoder(1, 4, 2).forward(x, { memory: x, mask }),
  nn.gru(2, 2).forward(x, { state: x }) satisfies Tensor,
  // @ts-expect-error it is called memory
  nn.multiHeadAttention(4, 2).forward(x, { keys: x }),
  // @ts-expect-error PyTorch's name
  nn.transformerEncoder(1, 4, 2).forward(x, { srcKeyPaddingMask: x }),
  // @ts-expect-error a recurrent layer has no keys
  nn.lstm(2, 2).forward(x, { keyMask: x }),
  nn.sequential(nn.linear(2, 2)).forward(x, { mask: x }),
  nn.weightNorm(nn.linear(2, 2)).forward(x, { mask: x }),
  // @ts-expect-error a layer that reads nothing
  nn.linear(2, 2).forward(x, { mask: x }),
  // What every batch has may be there.
  nn.lstm(2, 2).forward(x, whole),
  nn.selfAttention(4, 2).forward(x, { ...whole, mask }),
  nn.transformerEncoder(1, 4, 2).forward(x, whole),
  // @ts-expect-error nor does a whole model of tokens: padding is the loss's, by ignoreIndex
  nn.gpt({ vocabulary: 3, context: 2, width: 2, heads: 1, layers: 1 }).forward(x, { keyMask: x }),
];

/** So stand a loss's targets. */
export const compared = (batch: nn.Batch, lengths: Tensor | undefined) => [
  losses.mse(x, batch),
  losses.mse(x, { inputs: x, targets: x }),
  losses.ctc(x, { inputs: x, targets: x }),
  losses.ctc(x, { targets: x, targetLengths: lengths }),
  // @ts-expect-error they are called sampleWeights
  losses.mse(x, { targets: x, weights: x }),
  // @ts-expect-error PyTorch's name
  losses.ctc(x, { targets: x, input_lengths: x }),
];

/** A loss of one's own may name the fields that it reads. */
export const loss: TrainerOptions["loss"] = (outputs, { targets, group }: { targets: Tensor; group: Tensor }) =>
  where(group.equal(0), outputs.sub(targets), 0).sum();

/** What is given a list of tensors, or is of a function of so many, gives as many. */
export const asMany = () => [
  gradients(x.sum(), [x, state]) satisfies [Tensor, Tensor],
  valueAndGrad(product)(x, x).gradients satisfies [Tensor, Tensor],
  vjp(product, x, x).vjp(x) satisfies [Tensor, Tensor],
  hvp(product, [x, x], [x, x]).hvp satisfies [Tensor, Tensor],
  customGradient(product, ({ grad, inputs }) => {
    const [a, b] = inputs satisfies [Tensor, Tensor];
    return [grad.mul(b), grad.mul(a)];
  }),
];

export const wrong = () => [
  // @ts-expect-error one operand
  relu(x, 1),
  // @ts-expect-error a method of no argument
  x.relu(1),
  // @ts-expect-error two operands
  sub(x),
  // @ts-expect-error two operands
  sub(x, 1, 1),
  // @ts-expect-error one operand beside the tensor itself
  x.mul(),
  // @ts-expect-error one operand beside the tensor itself
  x.mul(1, 2),
  // @ts-expect-error maximum is the one of two tensors
  max(x, x),
  // @ts-expect-error PyTorch's name
  x.mean({ dim: 0 }),
  // @ts-expect-error keepDims goes by name
  x.sum(0, true),
  // @ts-expect-error the shape is one list
  x.reshape(3, 2),
  // @ts-expect-error an axis by itself
  x.softmax({ axis: 1 }),
  // @ts-expect-error a product has no options
  matmul(x, x, true),
  // @ts-expect-error no such dtype
  tensor([1], "float"),
  // @ts-expect-error a tensor is no number
  x > 0,
  // @ts-expect-error a number arrives as a tensor, and would never be 0
  compile((a: Tensor, flag: number) => (flag ? a : a.neg()))(x, 0),
  // @ts-expect-error so it does in a record
  compile((a: Tensor, { rate }: { rate: number }) => a.mul(rate))(x, { rate: 0.1 }),
  // @ts-expect-error a misspelt option
  nn.linear(2, 3, { bais: false }),
  // @ts-expect-error no such initialiser
  nn.embedding(2, 3, { init: "he" }),
  // @ts-expect-error parameters, not a module; and options
  optim.adam(nn.linear(2, 2)),
  // @ts-expect-error a misspelt option
  losses.crossEntropy(x, x, { reducton: "sum" }),
];
