// Presets in short: each one's graph is the published one, and its bits are the same on every backend; on two threads, test/engines/engines.test.ts. Those that take seconds are trained whole: to their published digest, and over the bar
// that they state. mnist-mlp's whole run is a test of `fit`; that of the others is minutes' training.
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { readMatrix } from "../engines/matrix.ts";
import { shortForms } from "../engines/presets.ts";
import { type Edit, published, run } from "../support/presets.ts";

interface Preset {
  readonly name: string;
  /** What makes a step of it short enough for the slowest backend. */
  readonly small: readonly Edit[];
  /** What the whole run must reach. */
  readonly bar?: { readonly metric: string; readonly least?: number; readonly most?: number };
}

const fashion = "/usr/share/datasets/fashion-mnist";
const missing = !existsSync(fashion);
if (missing && process.env.CI) throw new Error(`no ${fashion} in CI`);
test.skipIf(missing)(
  `fashion-cnn${missing ? ": its data, apt-get install dataset-fashion-mnist, aren't here" : ""}`,
  () => {
    expect(presets.map(({ name }) => name)).toContain("fashion-cnn");
  },
);

/** Fewer images are sooner read. */
const fewer = ["split: train", "split: test"] as const;

const presets: readonly Preset[] = [
  {
    name: "moby-gpt",
    small: [
      ["batch_size: 16,", "batch_size: 1,"],
      ["context: 64, width: 128, heads: 4, layers: 4,", "context: 16, width: 32, heads: 4, layers: 1,"],
      ["split: train, context: 64,", "split: train, context: 16,"],
    ],
  },
  {
    name: "mnist-cnn",
    small: [["batch_size: 128,", "batch_size: 2,"], ["channels: [16, 32, 64]", "channels: [2, 3, 4]"], fewer],
  },
  {
    name: "mnist-vae",
    small: [["batch_size: 128,", "batch_size: 2,"], ["hidden: [400]", "hidden: [8]"], fewer],
  },
  {
    name: "moby-lstm",
    small: [
      ["batch_size: 32,", "batch_size: 1,"],
      ["width: 192", "width: 8"],
    ],
  },
  ...(missing
    ? []
    : [
        {
          name: "fashion-cnn",
          small: [
            ["batch_size: 128,", "batch_size: 2,"],
            ["channels: [16, 48, 96]", "channels: [2, 3, 4]"],
            [", warmup: 0.05dur", ""],
            fewer,
          ] as const,
        },
      ]),
  {
    name: "digits-vit",
    small: [
      ["batch_size: 32,", "batch_size: 2,"],
      ["width: 64, heads: 4, layers: 2", "width: 8, heads: 2, layers: 1"],
      [", warmup: 0.05dur", ""],
    ],
    bar: { metric: "accuracy", least: 0.97 },
  },
  {
    name: "pinn",
    small: [
      ["batch_size: 128,", "batch_size: 4,"],
      ["hidden: [32, 32]", "hidden: [4, 3]"],
    ],
    bar: { metric: "rmse", most: 0.001 },
  },
  { name: "penguins", small: [], bar: { metric: "accuracy", least: 0.98 } },
  { name: "cars", small: [], bar: { metric: "r2", least: 0.85 } },
];

test.each(presets)(
  "$name: the graph is the published one, and one thread comes to the short form's digest",
  async ({ name }) => {
    const { graphHash, digest } = await run(name, [], shortForms[name], "wasm", 1);
    expect(graphHash).toBe(published(name).graphHash);
    expect(digest).toBe(readMatrix().digests[name]);
  },
  120_000,
);

test.each(presets)(
  "$name: reference, gpujs:webasm and wasm give the same, in small",
  async ({ name, small }) => {
    const expected = await run(name, small, 1, "reference");
    for (const [backend, threads] of [["gpujs:webasm"], ["wasm", 1], ["wasm", 3]] as [string, number?][])
      expect(await run(name, small, 1, backend, threads), backend).toEqual(expected);
  },
  120_000,
);

test.each(presets.filter(({ bar }) => bar))(
  "$name: whole, to the published digest and over its bar",
  async ({ name, bar }) => {
    const whole = await run(name, [], undefined, "wasm", 2);
    expect(whole.digest).toBe(published(name).digest);
    const { metric, least = -Infinity, most = Infinity } = bar!;
    expect(whole.metrics[metric]).toBeGreaterThanOrEqual(least);
    expect(whole.metrics[metric]).toBeLessThanOrEqual(most);
  },
  120_000,
);
