// A variational autoencoder (Kingma & Welling 2014) of perceptrons: an encoder to a normal for each sample, a draw from it, and a decoder to Bernoullis. Its loss is its own.
import { checkArguments, signature } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { count, type Given, list } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { tensor } from "../tensor/arguments.ts";
import { exp, normal, sigmoid, sum } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Sequential } from "./containers.ts";
import { checked, extent, Layer, layerOptions } from "./layer.ts";
import { binaryCrossEntropy } from "./losses.ts";
import { mlp } from "./mlp.ts";

const record = layerOptions("vae", {
  /** Numbers of a sample, each in [0, 1]; samples may come in any shape. */
  inputs: count,
  /** Sizes of the encoder's hidden layers; the decoder has them the other way round. */
  hidden: list(count, 1, "at least one size"),
  /** Numbers that a sample is told by. */
  latent: count,
});
export type VaeOptions = Given<typeof record>;

const calls = {
  decode: signature("nn.vae.decode", { latent: tensor }),
  sample: signature("nn.vae.sample", { count: extent }),
};

/** What a batch comes to: all in nats a sample, the mean over the batch. */
type VaeOutput = Readonly<Record<"loss" | "outputs" | "reconstruction" | "divergence", Tensor>>;

/** Encoder and decoder. inputs: [batch, ...] float32 in [0, 1] → `loss`, the bound on −log p(inputs); its parts `reconstruction` and `divergence`; and `outputs`, the logits of the reconstruction [batch, inputs]. */
export class Vae extends Layer<VaeOutput> {
  readonly inputs: number;
  readonly latent: number;
  readonly encoder: Sequential;
  readonly decoder: Sequential;

  constructor(options: VaeOptions) {
    super(checked(record.signature, arguments));
    const { inputs, hidden, latent } = record.fill(options);
    this.inputs = inputs;
    this.latent = latent;
    this.encoder = mlp({ sizes: [inputs, ...hidden, 2 * latent] });
    this.decoder = mlp({ sizes: [latent, ...[...hidden].reverse(), inputs] });
  }

  /** One draw z = μ + σ·ε a sample; −log p(inputs | z) of Bernoullis, and KL(N(μ, σ²) ‖ N(0, 1)) = ½·Σ(μ² + σ² − 1 − log σ²) (Kingma & Welling 2014, appendix B). Throws ShapeError for samples of another size. */
  protected override apply(inputs: Tensor): VaeOutput {
    const [batch = 0] = inputs.shape;
    if (inputs.rank < 2 || inputs.size !== batch * this.inputs) {
      const expected = `[batch, ...] with ${this.inputs} numbers a sample`;
      refuse(ShapeError, this.where, "samples of another size", inputs, expected);
    }
    const flat = inputs.reshape([batch, this.inputs]);
    const encoded = this.encoder.forward(flat) as Tensor;
    const [mean, logVariance] = [0, 1].map((i) => encoded.slice([null, [i * this.latent, (i + 1) * this.latent]]));
    const z = mean.add(exp(logVariance.mul(0.5)).mul(normal(mean.shape)));
    const outputs = this.decode(z);
    const reconstruction = binaryCrossEntropy(outputs, flat, { reduction: "sum" }).div(batch);
    const apart = mean.mul(mean).add(exp(logVariance)).sub(1).sub(logVariance);
    const divergence = sum(apart).mul(0.5).div(batch);
    return { loss: reconstruction.add(divergence), outputs, reconstruction, divergence };
  }

  /** latent: [batch, latent] → the logits of samples, [batch, inputs]. */
  decode(latent: Tensor): Tensor {
    checkArguments(calls.decode, arguments);
    return this.decoder.forward(latent) as Tensor;
  }

  /** Probabilities of so many new samples, [count, inputs], of latent numbers drawn from N(0, 1). */
  sample(count: number): Tensor {
    checkArguments(calls.sample, arguments);
    return sigmoid(this.decode(normal([count, this.latent])));
  }
}

/**
 * A variational autoencoder. Throws ShapeError for sizes that don't fit.
 * @torch none: a module of one's own
 * @golden none: it draws its own numbers
 * @example nn.vae({ inputs: 6, hidden: [5], latent: 2 }).forward(zeros([2, 6]))
 */
export const vae = maker(record, Vae);
