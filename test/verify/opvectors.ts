// The committed proofs of ops: those of one step of a small run. `npx tsx test/verify/opvectors.ts` writes them, which is due only with another numerics
// id or another format.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { tensor, uniform } from "../../src/tensor/functions.ts";
import type { Rebuild } from "../../src/train/replay.ts";
import { writeProof } from "../../src/verify/opproof.ts";
import { proofOf, type StepValue, stepValues } from "../../src/verify/prove.ts";
import { replayStep } from "../../src/verify/restep.ts";
import { Trainer } from "../../src/verify/trainer.ts";
import { root } from "../support/sources.ts";

/** Where they are. */
export const vectorFolder = `${root}test/verify/opvectors`;

/** More samples than a chunk has, and more outputs than a block. */
const [samples, width] = [264, 4];
const inputs = Float32Array.from({ length: samples * 3 }, (_, i) => ((i * 37) % 281) / 281 - 0.5);
const data = arrayDataset("vectors", { inputs: { data: inputs, shape: [samples, 3], dtype: "float32" } });

const rebuild: Rebuild = (changes) => ({
  trainer: new Trainer({
    seed: 2n ** 63n + 1234n,
    model: () => nn.linear(3, width),
    loss: (outputs) =>
      outputs
        .mul(uniform([samples, width], -1, 2))
        .mul(tensor([1, 0.5, -1, 2]))
        .exp()
        .mean(),
    optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 0.01 }),
    loop: { numSteps: 2 },
    logging: { logLevel: "silent" },
    backend: "reference",
    ...changes,
  }),
  train: dataLoader(data, { batchSize: samples, shuffle: true }),
});

/** Each by what it is of: the first of the step's values that is so. */
const wanted: Readonly<Record<string, (value: StepValue) => boolean>> = {
  matmul: ({ what }) => what === `matmul float32[${samples}, ${width}]`,
  "matmul in chunks": ({ what }) => what === `matmul float32[3, ${width}]`,
  transpose: ({ what }) => what === `transpose float32[3, ${width}]`,
  broadcast: ({ what }) => what === `broadcastTo float32[${samples}, ${width}]`,
  add: ({ what }) => what === `add float32[${samples}, ${width}]`,
  words: ({ what }) => what === `randomWords uint32[${samples}, ${width}]`,
  uniform: ({ what }) => what === `uniformFromWords float32[${samples}, ${width}]`,
  exp: ({ what }) => what === `exp float32[${samples}, ${width}]`,
  "sum in lanes": ({ what }) => what === "sum float32[]",
  "sum in chunks": ({ what }) => what === `sum float32[${width}]`,
  constant: ({ what }) => what === `constant float32[${width}]`,
  full: ({ what }) => what === "full float32[]",
  loss: ({ names }) => names.includes("result"),
  update: ({ names }) => names.includes("parameter/weight"),
};

/** The proofs by file's name. */
export async function vectors(): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "seedgrad-vectors-"));
  try {
    const modelDir = join(folder, "run");
    const { trainer, train } = rebuild({ modelDir, checkpoint: { steps: 1 } });
    await trainer.fit(train!);
    const { values } = await stepValues(modelDir, 2, { rebuild });
    const replayed = await replayStep(modelDir, 2, { rebuild });
    const made = new Map<string, string>();
    for (const [name, fits] of Object.entries(wanted)) {
      const { value } = values.find(fits)!;
      made.set(`${name.replaceAll(" ", "-")}.json`, writeProof(await proofOf(replayed, value)));
    }
    return made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  mkdirSync(vectorFolder, { recursive: true });
  for (const [name, text] of await vectors()) writeFileSync(`${vectorFolder}/${name}`, text);
}
