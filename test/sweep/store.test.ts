// Runs in stores: a shared folder and a real S3 service, in one suite. What a machine leaves that dies while it writes, what is damaged, and two that write one run.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CheckpointError, ConfigError, ReproError } from "../../src/core/errors.ts";
import { latestCheckpoint } from "../../src/run/checkpoint.ts";
import { makeCheck } from "../../src/sweep/checking.ts";
import { filesOf } from "../../src/sweep/folders.node.ts";
import { StoredRun, type Writer } from "../../src/sweep/snapshots.ts";
import type { Store } from "../../src/sweep/store.ts";
import { openStore } from "../../src/sweep/stores.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { temporaryFolder } from "../support/folder.ts";
import { shortConfig } from "../support/jobs.ts";
import { startS3, type TestS3 } from "../support/s3.ts";

let s3: TestS3;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.stop());

let count = 0;
const opened = {
  folder: () => openStore(`file:${temporaryFolder()}`, {}),
  bucket: () => openStore(`${s3.address}/${count++}`, s3.environment),
};

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (found: Uint8Array | undefined) => found && new TextDecoder().decode(found);

/** A run of 6 steps in a folder, stopped after so many. */
async function trained(
  steps: number,
  folder = join(temporaryFolder(), "run"),
): Promise<{ folder: string; digest?: string }> {
  const config = parseConfig(shortConfig({ steps: 6, every: 2 }), "short.yaml", { modelDir: folder });
  const control = new AbortController();
  const { trainer, train } = buildTrainer(config, {
    loggers: [
      {
        onTrainBatchEnd({ step }) {
          if (step === steps && steps < 6) control.abort("enough");
        },
      },
    ],
  });
  const run = await trainer.fit(train!, [], { signal: control.signal }).catch(() => undefined);
  return { folder, digest: run?.digest };
}

const name = "0123456789abcdef";
const writer: Writer = { turn: 1, id: "a" };

test("a check whose name would be a path is refused, and nothing of it is touched", async () => {
  const folder = temporaryFolder();
  for (const part of ["scratch", "kept"]) mkdirSync(join(folder, part));
  const given = { store: await opened.folder(), scratch: join(folder, "scratch") };
  const order = { format: 1, job: { name }, task: { type: "replay" }, except: [] };
  await expect(makeCheck(order as never, "../kept", given as never)).rejects.toThrow(
    "queue: no check may be called so: got ../kept",
  );
  expect(existsSync(join(folder, "kept"))).toBe(true);
});

describe.each(["folder", "bucket"] as const)("a %s", (kind) => {
  test("holds bytes by key, and lists what is under a name", async () => {
    const store = await opened[kind]();
    expect(await store.get("runs/x/a.json")).toBeUndefined();
    expect(await store.list("runs/x/")).toEqual([]);
    await store.put("runs/x/b.json", bytes("b"));
    await store.put("runs/x/a.json", bytes("a"));
    await store.put("runs/xy/c.json", bytes("c"));
    await store.put("runs/x/a.json", bytes("now"));
    const large = new Uint8Array(9 * 2 ** 20).map((_, i) => i % 251);
    await store.put("large", large);
    expect(text(await store.get("runs/x/a.json"))).toBe("now");
    expect(Buffer.compare((await store.get("large"))!, large)).toBe(0);
    expect(await store.list("runs/x/")).toEqual(["runs/x/a.json", "runs/x/b.json"]);
    await store.remove("runs/x/a.json");
    await store.remove("runs/x/a.json");
    expect(await store.list("runs/x/")).toEqual(["runs/x/b.json"]);
  });

  test("a run that stopped is restored elsewhere and goes on to the digest of one that never stopped", async () => {
    const store = await opened[kind]();
    const { folder } = await trained(3);
    const run = new StoredRun(store, name);
    await run.publish(folder, writer);
    expect(await run.digest()).toBeUndefined();

    const elsewhere = join(temporaryFolder(), "run");
    const other = new StoredRun(store, name);
    const [newest] = await other.snapshots();
    expect(newest).toMatchObject({ step: 3, writer });
    await other.restore(newest, elsewhere);
    expect(latestCheckpoint(`${elsewhere}/checkpoints`)).toBe(`${elsewhere}/checkpoints/checkpoint_3.safetensors`);
    expect(existsSync(join(elsewhere, "lock"))).toBe(false);
    const resumed = await trained(6, elsewhere);
    const whole = await trained(6);
    expect(resumed.digest).toBe(whole.digest);

    await other.finish(elsewhere, { turn: 2, id: "b" }, resumed.digest!);
    expect(await run.digest()).toBe(whole.digest);
    // What was kept for going on with the run is gone.
    const result = (await run.snapshots())[0];
    expect(await store.list(`runs/${name}/snapshots/`)).toEqual([`runs/${name}/snapshots/2-b.json`]);
    expect((await store.list(`runs/${name}/objects/`)).length).toBe(new Set(Object.values(result.files)).size);
  });

  test("a writer that dies in the middle leaves the snapshot before; the next one is whole again", async () => {
    const store = await opened[kind]();
    const { folder } = await trained(2);
    await new StoredRun(store, name).publish(folder, writer);
    await trained(4, folder);
    for (const dies of [1, 3, 5]) {
      let puts = 0;
      const dying: Store = {
        ...store,
        put: (key, content) => (++puts === dies ? Promise.reject(new Error("no power")) : store.put(key, content)),
      };
      await expect(new StoredRun(dying, name).publish(folder, { turn: 2, id: "b" })).rejects.toThrow("no power");
      const run = new StoredRun(store, name);
      const snapshots = await run.snapshots();
      expect(snapshots.map(({ step }) => step)).toEqual([2]);
      await run.restore(snapshots[0], join(temporaryFolder(), "run"));
    }
    const run = new StoredRun(store, name);
    await run.publish(folder, { turn: 2, id: "b" });
    expect((await run.snapshots()).map(({ step }) => step)).toEqual([4, 2]);
  });

  test("what is damaged, or lost, is named, and nothing is taken from it; publishing anew heals it", async () => {
    const store = await opened[kind]();
    const { folder } = await trained(2);
    const run = new StoredRun(store, name);
    await run.publish(folder, writer);
    const [snapshot] = await run.snapshots();
    const path = "checkpoints/checkpoint_2.safetensors";
    const key = `runs/${name}/objects/${snapshot.files[path]}`;
    const whole = (await store.get(key))!;
    await store.put(
      key,
      whole.map((byte, i) => (i === 100 ? byte ^ 1 : byte)),
    );
    const into = join(temporaryFolder(), "run");
    await expect(run.restore(snapshot, into)).rejects.toThrow(
      /checkpoint_2\.safetensors: its content isn't what was put there/,
    );
    expect(existsSync(join(into, path))).toBe(false);
    await store.remove(key);
    await expect(run.restore(snapshot, into)).rejects.toThrow(/the store has lost it: got nothing/);
    await new StoredRun(store, name).publish(folder, { turn: 2, id: "b" });
    await run.restore(snapshot, into);
    await store.put(`runs/${name}/snapshots/9-c.json`, bytes('{"format":1,"files":{"../../x":"00"}}'));
    await expect(run.snapshots()).rejects.toThrow(CheckpointError);
    // What a snapshot says of its writer is where it is removed from.
    const climbing = { format: 1, writer: { turn: 9, id: "x/../../../../../kept" }, parts: [], step: 0, files: {} };
    await store.put(`runs/${name}/snapshots/9-c.json`, bytes(JSON.stringify(climbing)));
    await expect(run.snapshots()).rejects.toThrow(/writer: .*a turn and an id of letters, digits and -/);
  });

  test("of two that finish one run, one result is read; two digests are an error that names both", async () => {
    const store = await opened[kind]();
    const { folder, digest } = await trained(6);
    const [a, b] = [new StoredRun(store, name), new StoredRun(store, name)];
    await Promise.all([a.finish(folder, writer, digest!), b.finish(folder, { turn: 2, id: "b" }, digest!)]);
    expect(await a.digest()).toBe(digest);
    const result = (await b.snapshots())[0];
    await b.restore(result, join(temporaryFolder(), "run"));

    const manifest = join(folder, "manifest.json");
    const other = "1".repeat(64);
    writeFileSync(manifest, readFileSync(manifest, "utf8").replaceAll(digest!, other));
    await expect(a.finish(folder, { turn: 3, id: "c" }, other)).rejects.toThrow(ReproError);
    await expect(b.digest()).rejects.toThrow(
      /two machines made this run and came to two digests: got .* \([abc]\), expected .* \([abc]\)/,
    );
  });

  test("checkpoints that are replaced while they are read", async () => {
    const store = await opened[kind]();
    const { folder } = await trained(2);
    const path = join(folder, "checkpoints/checkpoint_2.safetensors");
    const content = readFileSync(path);
    rmSync(path);
    setTimeout(() => writeFileSync(path, content), 60);
    const run = new StoredRun(store, name);
    await run.publish(folder, writer);
    expect((await run.snapshots())[0].files["checkpoints/checkpoint_2.safetensors"]).toBeDefined();
    // What isn't in the index may be half written, and a lock says who is at work here.
    writeFileSync(join(folder, "checkpoints/checkpoint_9.safetensors"), "half");
    writeFileSync(join(folder, "lock"), "x");
    await run.publish(folder, writer);
    const files = Object.keys((await run.snapshots())[0].files);
    expect(filesOf(folder).filter((file) => !files.includes(file))).toEqual([
      "checkpoints/checkpoint_9.safetensors",
      "lock",
    ]);
  });
});

describe("an address", () => {
  test("that is none, or has a password in it, which isn't told on", async () => {
    await expect(openStore("runs", {})).rejects.toThrow(
      /not the address of a store: got runs, expected file:FOLDER, or s3:/,
    );
    const error = await openStore("s3://key:hunter2@runs/x", {}).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).not.toContain("hunter2");
    expect(error.message).toContain("AWS_SECRET_ACCESS_KEY");
  });

  test("of a bucket: who one is, whether it is there, and whether anybody answers", async () => {
    await expect(openStore(s3.address, {})).rejects.toThrow(/got no AWS_ACCESS_KEY_ID, no AWS_SECRET_ACCESS_KEY/);
    await expect(openStore("s3://elsewhere/x", s3.environment)).rejects.toThrow(/there is no such bucket/);
    const wrong = { ...s3.environment, AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "hunter2" };
    const refused = await openStore(s3.address, wrong).catch((thrown) => thrown);
    expect(refused).toBeInstanceOf(CheckpointError);
    expect(refused.message).not.toContain("hunter2");
    const nobody = { ...s3.environment, AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9" };
    await expect(openStore(s3.address, nobody)).rejects.toThrow(/can't be reached \(http:\/\/127\.0\.0\.1:9\)/);
  });

  test("a folder that can't be written is named", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    const store = await openStore(`file:${folder}/file`, {});
    await expect(store.put("runs/a", bytes("a"))).rejects.toThrow(/the store can't be written: got .*(ENOTDIR|EEXIST)/);
    mkdirSync(join(folder, "b"));
    const other = await openStore(`file:${folder}/b`, {});
    await other.put("runs/a", bytes("a"));
    expect(readdirSync(join(folder, "b/runs"))).toEqual(["a"]);
  });
});
