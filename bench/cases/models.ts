// The models whose steps are measured, layer for layer those of the peers: multilayer perceptrons, a convolutional network, an LSTM and a GPT.
import { losses, nn, optim, Stream, type Tensor } from "../../src/index.ts";
import { withStream } from "../../src/rng/stream.ts";
import { learningRate, momentum, type Workload } from "../workloads.ts";

export type Training = Extract<Workload, { kind: "mlp" | "cnn" | "lstm" | "gpt" }>;

/** A linear layer after each size but the last two with relu and dropout, as in 784-128-10. */
function perceptron(sizes: readonly number[], dropout: number): nn.Module {
  const layers: nn.Module[] = [];
  for (let i = 1; i < sizes.length; i++) {
    if (i > 1) layers.push(nn.relu());
    if (i > 1 && dropout > 0) layers.push(nn.dropout(dropout));
    layers.push(nn.linear(sizes[i - 1], sizes[i]));
  }
  return nn.sequential(...layers);
}

/** Convolution, relu and pooling for each of the channels, then a linear layer. */
function convolutional({ channels, extent, classes }: Extract<Workload, { kind: "cnn" }>): nn.Module {
  const layers = channels.flatMap((outputs, i) => [
    nn.conv2d(i === 0 ? 1 : channels[i - 1], outputs, 3, { padding: 1 }),
    nn.relu(),
    nn.maxPool2d(2),
  ]);
  const left = extent / 2 ** channels.length;
  return nn.sequential(...layers, nn.flatten(), nn.linear(channels[channels.length - 1] * left * left, classes));
}

function modelOf(workload: Training): nn.Module {
  if (workload.kind === "gpt") {
    const { vocabulary, width, heads, layers, context } = workload;
    return nn.gpt({ vocabulary, width, heads, layers, context });
  }
  if (workload.kind === "lstm") {
    const { width, layers, classes } = workload;
    return nn.sequential(nn.lstm(width, width, { layers }), nn.linear(width, classes));
  }
  return workload.kind === "cnn" ? convolutional(workload) : perceptron(workload.sizes, workload.dropout);
}

/** Which optimizer a workload trains with. */
function ruleOf(workload: Training): keyof typeof learningRate {
  if (workload.kind === "mlp") return workload.optimizer;
  return workload.kind === "gpt" ? "adamW" : "adam";
}

/** A model with its optimizer, drawn from a stream that goes on with its dropout. */
export interface Trained {
  readonly model: nn.Module;
  readonly rule: optim.Optimizer;
  readonly stream: Stream;
  /** inputs, targets → the loss: what a compiled step returns. */
  readonly loss: (inputs: Tensor, targets: Tensor) => Tensor;
}

/** Builds a workload's model under a seed. */
export function build(workload: Training, seed: bigint): Trained {
  const stream = new Stream(seed);
  const model = withStream(stream, () => modelOf(workload));
  const name = ruleOf(workload);
  const options = { learningRate: learningRate[name] };
  const parameters = model.parameters();
  const rule =
    name === "sgd"
      ? optim.sgd(parameters, { ...options, momentum })
      : name === "adam"
        ? optim.adam(parameters, options)
        : optim.adamW(parameters, { ...options, decayAll: true });
  return {
    model,
    rule,
    stream,
    loss: (inputs, targets) => losses.crossEntropy(model.forward(inputs) as Tensor, targets),
  };
}
