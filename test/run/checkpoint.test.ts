// Checkpoints and manifests: whole or not there, checked against themselves and against the run.
import { execFileSync, spawn } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/core/errors.ts";
import { numericsId } from "../../src/core/numerics.ts";
import { replaceFileCalls } from "../../src/io/files.node.ts";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.ts";
import {
  bestCheckpoints,
  checkState,
  dropCheckpointsAfter,
  latestCheckpoint,
  listCheckpoints,
  loadCheckpoint,
  type RunState,
  saveCheckpoint,
} from "../../src/run/checkpoint.ts";
import { hyperparameter, type Manifest, readManifest, writeManifest } from "../../src/run/manifest.ts";
import { source } from "../support/cli.ts";
import { fullDisk, temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const state = (step: number): RunState => ({
  format: 1,
  numericsId,
  graphHash: "ab".repeat(32),
  seed: "18446744073709551615",
  step,
  position: 2 ** 40 + step,
  loader: { epoch: 1, offset: 77, cursor: 3 },
  chain: "cd".repeat(32),
  loss: 0.25,
  metrics: { accuracy: 0.5 },
});
const tensors = (value: number) =>
  [
    ["parameter/w", { data: Float32Array.of(value, -0, 1e-45), shape: [3], dtype: "float32" }],
    ["optimizer/m/w", { data: Float32Array.of(1), shape: [1], dtype: "float32" }],
  ] as const;
const save = (folder: string, step: number, keep?: number) =>
  saveCheckpoint(folder, `checkpoint_${step}`, state(step), tensors(step), { keep });

describe("checkpoints", () => {
  test("state and tensors come back to the bit; the newest by step is the latest", () => {
    const folder = `${temporaryFolder()}/checkpoints`;
    expect([listCheckpoints(folder), latestCheckpoint(folder)]).toEqual([[], undefined]);
    save(folder, 20);
    const path = save(folder, 100);
    save(folder, 3);
    expect(latestCheckpoint(folder)).toBe(path);
    const loaded = loadCheckpoint(path);
    expect(loaded.state).toEqual(state(100));
    expect([...loaded.tensors].sort()).toEqual([...tensors(100)].sort());
    expect(Object.is(loaded.tensors.get("parameter/w")!.data[1], -0)).toBe(true);
  });

  test.each([
    "..",
    ".",
    "",
    "../notes.txt",
    "a/b.safetensors",
    "..\\a.safetensors",
    "/etc/a.safetensors",
    "index.json",
    "a\u0000.safetensors",
  ])("an index that names %j is refused, and nothing is removed", (name) => {
    const folder = temporaryFolder();
    const checkpoints = `${folder}/checkpoints`;
    save(checkpoints, 4);
    writeFileSync(`${folder}/notes.txt`, "mine");
    const index = `${checkpoints}/index.json`;
    const there = readFileSync(index, "utf8");
    const { checkpoints: entries } = JSON.parse(there);
    for (const changed of [
      { checkpoints: entries, removed: [name] },
      { checkpoints: [...entries, { file: name, step: 9 }], removed: [] },
    ]) {
      writeFileSync(index, JSON.stringify(changed));
      expect(() => listCheckpoints(checkpoints)).toThrow(CheckpointError);
      expect(() => dropCheckpointsAfter(checkpoints, 0)).toThrow(/ends with .safetensors/);
      expect(() => save(checkpoints, 8)).toThrow(CheckpointError);
    }
    expect(readdirSync(folder).sort()).toEqual(["checkpoints", "notes.txt"]);
    expect(readdirSync(checkpoints)).toContain("checkpoint_4.safetensors");
    expect(() => saveCheckpoint(checkpoints, name, state(1), tensors(1))).toThrow(CheckpointError);
  });

  test("a folder in place of a file that has left the index isn't removed", () => {
    const folder = temporaryFolder();
    save(folder, 4);
    mkdirSync(`${folder}/checkpoint_9.safetensors`);
    writeFileSync(`${folder}/checkpoint_9.safetensors/notes.txt`, "mine");
    const entry = { file: "checkpoint_9.safetensors", step: 9 };
    writeFileSync(`${folder}/index.json`, JSON.stringify({ checkpoints: [entry], removed: [] }));
    expect(() => dropCheckpointsAfter(folder, 4)).toThrow(CheckpointError);
    expect(readFileSync(`${folder}/checkpoint_9.safetensors/notes.txt`, "utf8")).toBe("mine");
  });

  test("symbolic links lead nowhere: neither a checkpoint nor their folder may be one", () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    const checkpoints = `${folder}/checkpoints`;
    save(checkpoints, 4);
    renameSync(`${checkpoints}/checkpoint_4.safetensors`, `${elsewhere}/precious`);
    symlinkSync(`${elsewhere}/precious`, `${checkpoints}/checkpoint_4.safetensors`);
    expect(() => latestCheckpoint(checkpoints)).toThrow(/symbolic link/);
    expect(() => dropCheckpointsAfter(checkpoints, 0)).toThrow(CheckpointError);
    rmSync(checkpoints, { recursive: true });
    symlinkSync(elsewhere, checkpoints);
    expect(() => save(checkpoints, 4)).toThrow(/symbolic link/);
    expect(() => dropCheckpointsAfter(checkpoints, 0)).toThrow(/symbolic link/);
    expect(readdirSync(elsewhere)).toEqual(["precious"]);
    // The run's folder as a whole may lie elsewhere.
    const link = `${folder}/run`;
    symlinkSync(elsewhere, link);
    save(`${link}/checkpoints`, 4);
    expect(latestCheckpoint(`${link}/checkpoints`)).toMatch(/checkpoint_4/);
  });

  test("files nested too deeply, and names that every object has", () => {
    const folder = temporaryFolder();
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    writeFileSync(`${folder}/index.json`, `{"checkpoints":${deep},"removed":[]}`);
    expect(() => listCheckpoints(folder)).toThrow(/nested deeper than 64 levels/);
    writeFileSync(
      `${folder}/manifest.json`,
      `{"format":1,"config":${deep.replaceAll("[", '{"a":').replaceAll("]", "}")}}`,
    );
    expect(() => readManifest(`${folder}/manifest.json`)).toThrow(CheckpointError);
    writeFileSync(`${folder}/manifest.json`, '{"format":1,"config":{"__proto__":{"a":1}}}');
    expect(() => readManifest(`${folder}/manifest.json`)).toThrow(/__proto__/);
    const entries = [{ file: "a.safetensors", step: 1, metrics: { loss: 1 } }];
    expect(bestCheckpoints(entries, { metric: "constructor", mode: "min", k: 1 })).toEqual([]);
  });

  test("keeping the newest; dropping what comes after a step", () => {
    const folder = temporaryFolder();
    for (const step of [1, 2, 4, 3]) save(folder, step, 2);
    expect(readdirSync(folder).sort()).toEqual(["checkpoint_3.safetensors", "checkpoint_4.safetensors", "index.json"]);
    dropCheckpointsAfter(folder, 3);
    expect(listCheckpoints(folder)).toEqual([{ file: "checkpoint_3.safetensors", step: 3 }]);
    expect(readdirSync(folder).sort()).toEqual(["checkpoint_3.safetensors", "index.json"]);
  });

  test("the best by a metric stay beside the newest; of equals the older; NaN is never best", () => {
    const folder = temporaryFolder();
    const steps = () => listCheckpoints(folder).map((entry) => entry.step);
    const put = (step: number, loss: number | undefined, best: boolean, mode: "min" | "max" = "min") =>
      saveCheckpoint(folder, `c${step}`, state(step), tensors(step), {
        keep: 1,
        keepBest: { metric: "loss", mode, k: 2 },
        metrics: loss === undefined ? undefined : { loss },
        best,
      });
    put(1, 5, true);
    put(2, 3, true);
    expect(steps()).toEqual([1, 2]);
    put(3, 3, true);
    expect(steps()).toEqual([2, 3]);
    put(4, undefined, false);
    expect(steps()).toEqual([2, 3, 4]);
    put(5, Number.NaN, false);
    expect(steps()).toEqual([2, 3, 5]);
    put(6, 3, true);
    // 6 is no better than 2 and 3, but it is the newest: a run goes on from it.
    expect(steps()).toEqual([2, 3, 5, 6]);
    put(7, 9, false, "max");
    expect(steps()).toEqual([2, 7]);
    expect(readdirSync(folder).sort()).toEqual(["c2.safetensors", "c7.safetensors", "index.json"]);
  });

  test("any byte changed, any length cut: the file is named", () => {
    const folder = temporaryFolder();
    const path = save(folder, 1);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] ^= 4;
      writeFileSync(path, damaged);
      expect(() => loadCheckpoint(path), `byte ${at}`).toThrow(CheckpointError);
      expect(() => loadCheckpoint(path), `byte ${at}`).toThrow(path);
    }
    writeFileSync(path, bytes);
    for (let length = bytes.length - 1; length >= 0; length -= 7) {
      truncateSync(path, length);
      expect(() => loadCheckpoint(path), `${length} bytes`).toThrow(CheckpointError);
    }
  });

  test("a damaged index is named, and a path in it can't lead out of the folder", () => {
    const folder = temporaryFolder();
    save(folder, 1);
    const entry = { file: "x", step: 1 };
    for (const index of [
      "{",
      "[]",
      "null",
      {},
      { checkpoints: [entry] },
      { checkpoints: [{ ...entry, file: "../x" }], removed: [] },
      { checkpoints: [{ file: "x" }], removed: [] },
      { checkpoints: [entry], removed: ["a/x"] },
      { checkpoints: [null], removed: [] },
      { checkpoints: [{ ...entry, metrics: { loss: "1" } }], removed: [] },
      { checkpoints: [{ ...entry, best: 1 }], removed: [] },
    ]) {
      writeFileSync(`${folder}/index.json`, typeof index === "string" ? index : JSON.stringify(index));
      expect(() => listCheckpoints(folder), JSON.stringify(index)).toThrow(CheckpointError);
      expect(() => listCheckpoints(folder), JSON.stringify(index)).toThrow(/index.json.*index of checkpoints/);
    }
  });

  test("killed between index and removal: the file goes when the run goes on", () => {
    const folder = temporaryFolder();
    for (const step of [1, 2]) save(folder, step);
    const restore = replaceFileCalls({ rmSync: fullDisk });
    try {
      expect(() => save(folder, 3, 1)).toThrow(CheckpointError);
    } finally {
      restore();
    }
    expect(readdirSync(folder).length).toBe(4);
    expect(listCheckpoints(folder)).toEqual([{ file: "checkpoint_3.safetensors", step: 3 }]);
    dropCheckpointsAfter(folder, 3);
    expect(readdirSync(folder).sort()).toEqual(["checkpoint_3.safetensors", "index.json"]);
  });

  test("a full disk at any call: the folder still loads what it held", () => {
    for (const call of ["openSync", "writeSync", "fsyncSync", "closeSync", "renameSync"] as const) {
      const folder = temporaryFolder();
      const first = save(folder, 1);
      const restore = replaceFileCalls({ [call]: fullDisk });
      try {
        expect(() => save(folder, 2), call).toThrow(CheckpointError);
      } finally {
        restore();
      }
      expect(latestCheckpoint(folder), call).toBe(first);
      expect(loadCheckpoint(first).state.step).toBe(1);
      expect(loadCheckpoint(save(folder, 2)).state.step).toBe(2);
    }
  });

  test("killed while writing, at random moments: what the index names is whole", async () => {
    const folder = temporaryFolder();
    const program = `import { saveCheckpoint } from "${source("run/checkpoint")}";
      const data = new Float32Array(200000);
      const state = ${JSON.stringify(state(0))};
      for (let step = 1; ; step++) saveCheckpoint(${JSON.stringify(folder)}, "checkpoint_" + step % 5, { ...state, step }, [["w", { data: data.fill(step), shape: [200000], dtype: "float32" }]]);`;
    writeFileSync(`${folder}/program.mjs`, program);
    let newest = 0;
    for (const delay of [5, 23, 60, 110]) {
      const child = spawn(process.execPath, [`${folder}/program.mjs`], {
        cwd: root,
        stdio: "ignore",
      });
      while (listCheckpoints(folder).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      for (const { file } of listCheckpoints(folder)) {
        const {
          state: { step },
          tensors: read,
        } = loadCheckpoint(`${folder}/${file}`);
        expect(read.get("w")!.data.every((value) => value === step)).toBe(true);
        newest = Math.max(newest, step);
      }
      expect(loadCheckpoint(latestCheckpoint(folder)!).state.step).toBeGreaterThan(0);
    }
    expect(newest).toBeGreaterThan(0);
    writeFileSync(`${folder}/index.json.tmp`, "cut off");
    dropCheckpointsAfter(folder, Number.POSITIVE_INFINITY);
    expect(readdirSync(folder).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  }, 30_000);

  test.each([
    ["f32-strict/1", /earlier version: make the run again, or use the version that made it/],
    ["f32-strict/1000", /another version: use the version that made it/],
    ["f16/1", /another version: use the version that made it/],
  ])("a checkpoint of numerics %s is refused before its digest is looked at", (id, hint) => {
    const path = saveCheckpoint(temporaryFolder(), "c", { ...state(1), numericsId: id }, tensors(1));
    expect(() => loadCheckpoint(path)).toThrow(CheckpointError);
    expect(() => loadCheckpoint(path)).toThrow(`got ${id}, expected ${numericsId}`);
    expect(() => loadCheckpoint(path)).toThrow(hint);
    const { tensors: all, metadata } = readSafetensors(path);
    writeSafetensors(path, all, { ...metadata, "seedgrad.digest": "of another kind" });
    expect(() => loadCheckpoint(path)).toThrow(hint);
  });

  test("another seed or graph", () => {
    const path = save(temporaryFolder(), 1);
    const checkpoint = loadCheckpoint(path);
    const run = { seed: 2n ** 64n - 1n, graphHash: "ab".repeat(32) };
    checkState(checkpoint, run);
    expect(() => checkState(checkpoint, { ...run, seed: 1n })).toThrow(
      /another seed: got 18446744073709551615, expected 1/,
    );
    expect(() => checkState(checkpoint, { ...run, graphHash: "ee".repeat(32) })).toThrow(/another graph/);
  });

  test.each<[string, object]>([
    ["format", { format: 2 }],
    ["numericsId", { numericsId: undefined }],
    ["graphHash", { graphHash: "ab" }],
    ["seed", { seed: 5 }],
    ["step", { step: -1 }],
    ["position", { position: 2 ** 53 }],
    ["loader", { loader: { epoch: 0, offset: "1", cursor: 0 } }],
    ["chain", { chain: "CD".repeat(32) }],
    ["loss", { loss: "0" }],
    ["metrics", { metrics: { loss: "many" as never } }],
    ["optimizerSteps", { optimizerSteps: 1.5 }],
    ["table", { table: [{ column: "a", mean: 1, deviation: 0 }] }],
    ["callbacks", { callbacks: 1 }],
  ])("a state with a wrong %s is named: %j", (field, change) => {
    const broken = { ...state(1), ...change } as RunState;
    const path = saveCheckpoint(temporaryFolder(), "c", broken, tensors(1));
    expect(() => loadCheckpoint(path)).toThrow(CheckpointError);
    expect(() => loadCheckpoint(path)).toThrow(`${path}: ${field}: not what a checkpoint holds`);
  });

  test("what a cut-off write left goes when the run goes on; files of others stay", () => {
    const folder = temporaryFolder();
    save(folder, 1);
    writeFileSync(`${folder}/checkpoint_2.safetensors.tmp`, "half");
    writeFileSync(`${folder}/mine.safetensors`, "mine");
    writeFileSync(`${folder}/notes.tmp`, "mine");
    expect(latestCheckpoint(folder)).toBe(`${folder}/checkpoint_1.safetensors`);
    dropCheckpointsAfter(folder, 1);
    expect(readdirSync(folder).sort()).toEqual([
      "checkpoint_1.safetensors",
      "index.json",
      "mine.safetensors",
      "notes.tmp",
    ]);
  });

  test("a file of weights alone isn't resumed from", () => {
    const folder = temporaryFolder();
    execFileSync(
      process.execPath,
      [
        "--import",
        "tsx",
        "-e",
        `import("${root}src/io/safetensors.ts").then(({ writeSafetensors }) => writeSafetensors("${folder}/w.safetensors", []))`,
      ],
      { cwd: root },
    );
    expect(() => loadCheckpoint(`${folder}/w.safetensors`)).toThrow(/no run's state/);
  });
});

describe("manifest", () => {
  const manifest: Manifest = {
    format: 1,
    numericsId,
    seed: "18446744073709551615",
    seedGiven: true,
    graphs: { train: "ab".repeat(32) },
    data: { "a/b": "cd".repeat(32) },
    config: { trainer: { b: 1, a: [Number.NaN, 2] } },
    hyperparameters: { rate: hyperparameter(0.1), limit: hyperparameter(Number.POSITIVE_INFINITY) },
    deterministic: "strict",
    status: "finished",
    result: { digest: "12".repeat(32), steps: 1, loss: 0.5, metrics: {}, streamPosition: 3 },
    environment: { threads: 1 },
  };

  test("canonical: sorted keys, no NaN, float32 bits", () => {
    const path = `${temporaryFolder()}/manifest.json`;
    writeManifest(path, manifest);
    const text = readFileSync(path, "utf8");
    expect(text).toContain('"config":{"trainer":{"a":[null,2],"b":1}}');
    expect(text).toContain('"rate":{"float32":"3dcccccd","value":0.1}');
    expect(text.indexOf('"config"')).toBeLessThan(text.indexOf('"data"'));
    const read = readManifest(path);
    expect(read).toEqual({ ...manifest, config: { trainer: { b: 1, a: [null, 2] } } });
    expect(read.hyperparameters.limit).toEqual({ value: "Infinity", float32: "7f800000" });
  });

  test.each<[string, object]>([
    ["format", { format: 2 }],
    ["seed", { seed: 5 }],
    ["seed", { seed: "18446744073709551616" }],
    ["graphs", { graphs: { a: 1 } }],
    ["status", { status: "done" }],
    ["result", { result: null }],
    ["result", { result: 5, status: "failed" }],
    ["seedGiven", { seedGiven: 1 }],
    ["seed", { seed: "0x10" }],
    ["seed", { seed: "007" }],
    ["data", { data: { a: "12" } }],
    ["config", { config: "yaml" }],
    ["hyperparameters", { hyperparameters: undefined }],
    ["hyperparameters", { hyperparameters: { a: { value: 1, float32: "1" } } }],
    ["deterministic", { deterministic: true }],
    ["environment", { environment: [] }],
  ])("a wrong %s is named: %j", (field, change) => {
    const path = `${temporaryFolder()}/manifest.json`;
    writeFileSync(path, JSON.stringify({ ...manifest, ...change }));
    expect(() => readManifest(path)).toThrow(`manifest.json: ${field}: not what a manifest holds`);
  });

  test.each<[string, object]>([
    ["result: a result isn't a record: got nothing", { result: undefined }],
    ["result: digest: not what", { result: { ...manifest.result, digest: "12" } }],
    ["result: steps: not what", { result: { ...manifest.result, steps: -1 } }],
    ["result: metrics: not what", { result: { ...manifest.result, metrics: { a: "1" } }, status: "failed" }],
  ])("a wrong result is named: %s", (message, change) => {
    const path = `${temporaryFolder()}/manifest.json`;
    writeFileSync(path, JSON.stringify({ ...manifest, ...change }));
    expect(() => readManifest(path)).toThrow(`manifest.json: ${message}`);
  });

  test("one of an earlier version is refused before its fields are looked at", () => {
    const path = `${temporaryFolder()}/manifest.json`;
    writeFileSync(path, JSON.stringify({ ...manifest, numericsId: "f32-strict/1", graphs: "of another kind" }));
    expect(() => readManifest(path)).toThrow(CheckpointError);
    expect(() => readManifest(path)).toThrow(
      /got f32-strict\/1, expected f32-strict\/2\nHint: made by an earlier version: make the run again/,
    );
  });

  test("no JSON, no file", () => {
    const path = `${temporaryFolder()}/manifest.json`;
    expect(() => readManifest(path)).toThrow(CheckpointError);
    writeFileSync(path, "{");
    expect(() => readManifest(path)).toThrow(/isn't JSON/);
    for (const text of ["null", "[]", "5"]) {
      writeFileSync(path, text);
      expect(() => readManifest(path), text).toThrow(/a manifest isn't a record: got/);
    }
  });

  test("cut off anywhere: a CheckpointError that names the file, never a manifest; a full disk leaves the old one", () => {
    const path = `${temporaryFolder()}/manifest.json`;
    writeManifest(path, manifest);
    const text = readFileSync(path);
    for (let length = 0; length < text.length - 1; length += 3) {
      writeFileSync(path, text.subarray(0, length));
      expect(() => readManifest(path), `${length}`).toThrow(CheckpointError);
      expect(() => readManifest(path), `${length}`).toThrow(path);
    }
    writeFileSync(path, text);
    for (const call of ["openSync", "writeSync", "fsyncSync", "renameSync"] as const) {
      const restore = replaceFileCalls({ [call]: fullDisk });
      try {
        expect(() => writeManifest(path, { ...manifest, status: "failed" }), call).toThrow(CheckpointError);
      } finally {
        restore();
      }
      expect(readManifest(path).status).toBe("finished");
    }
  });
});
