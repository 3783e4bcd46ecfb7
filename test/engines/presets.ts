// The short form of every preset: its first optimizer steps, which `fit PRESET --max-steps N` takes too. In the order of what they cost, the cheap ones first.
import type { ConfigOverrides } from "../../src/train/config/parse.ts";

/** Optimizer steps by preset. */
export const shortForms: Readonly<Record<string, number>> = {
  cars: 5,
  penguins: 5,
  pinn: 5,
  "digits-vit": 5,
  "mnist-mlp": 5,
  "mnist-vae": 3,
  "moby-lstm": 3,
  "mnist-cnn": 3,
  "fashion-cnn": 3,
  "moby-gpt": 3,
};

/** The first of them: where a step is slow these alone are trained. */
export const quick: readonly string[] = Object.keys(shortForms).slice(0, 5);

/** What is trained on a GPU's driver in software, by backend: the rest takes it too long. */
export const onGpu = {
  webgpu: ["cars", "penguins", "mnist-mlp", "mnist-cnn", "moby-gpt"],
  gpujs: quick.slice(0, 2),
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** What makes a preset's config its short form: nothing is validated, shown or logged, which changes no digest. */
export function shortened(preset: string): ConfigOverrides {
  const init = { loop: `{num_steps: ${shortForms[preset]}}`, callbacks: "[]", loggers: "[]" };
  return { set: Object.entries(init).map(([key, value]) => `trainer.init.${key}=${value}`) };
}
