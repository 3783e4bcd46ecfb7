// Checkpoints of mlp-large with Adam's state, 22 MB, to a folder of the system's temporary files and back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostArray } from "../../src/core/array.ts";
import { numericsId } from "../../src/core/numerics.ts";
import { loadCheckpoint, type RunState, saveCheckpoint } from "../../src/run/checkpoint.ts";
import { textBits } from "../bits.ts";
import type { Case } from "../harness.ts";
import { fill } from "../workloads.ts";
import { build } from "./models.ts";
import { mlpLarge } from "./training.ts";

const state: RunState = {
  format: 1,
  numericsId,
  graphHash: "0".repeat(64),
  seed: "1",
  step: 1,
  position: 0,
  loader: { epoch: 0, offset: null, cursor: 0 },
  chain: "0".repeat(64),
  loss: null,
  metrics: {},
};

/** Tensors of the sizes that a checkpoint of the run would hold. */
function tensorsOf(): [string, HostArray][] {
  const { model, rule } = build(mlpLarge, 1n);
  return [...new Map([...model.namedVariables(), ...rule.namedVariables()])].map(([name, { shape }], place) => [
    name,
    { data: fill({ shape, range: [-1, 1] }, place), shape, dtype: "float32" },
  ]);
}

const bytes = tensorsOf().reduce((sum, [, { data }]) => sum + data.byteLength, 0);

function through(
  name: string,
  about: string,
  run: (folder: string, tensors: [string, HostArray][]) => () => string,
): Case {
  return {
    name: `checkpoint-${name}`,
    about,
    unit: "GB/s",
    work: bytes,
    rounds: 9,
    calls: 1,
    warmup: 2,
    place: "host",
    async prepare() {
      const folder = mkdtempSync(join(tmpdir(), "seedgrad-bench-"));
      const work = run(folder, tensorsOf());
      let bits = "";
      return {
        run: () => {
          bits = work();
        },
        bits: () => bits,
        dispose: () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  };
}

export const cases: readonly Case[] = [
  through("write", "written with digest, flushed and renamed", (folder, tensors) => () => {
    saveCheckpoint(folder, "bench", state, tensors);
    return textBits(`${tensors.length} tensors, ${bytes} bytes`);
  }),
  through("read", "read and checked against its digest", (folder, tensors) => {
    const path = saveCheckpoint(folder, "bench", state, tensors);
    return () => {
      const { tensors: read } = loadCheckpoint(path);
      return textBits(JSON.stringify([...read].map(([name, { shape }]) => [name, shape])));
    };
  }),
];
