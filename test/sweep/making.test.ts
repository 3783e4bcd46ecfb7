// How a job becomes a run in a store, with a Trainer of this process in place of a runner's: what is published when, and what is done when the store fails or holds damaged files.
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { CheckpointError, ConfigError } from "../../src/core/errors.ts";
import { folderStore } from "../../src/sweep/folder-store.node.ts";
import { configFor, jobsOf } from "../../src/sweep/job.ts";
import { type Ending, lost, type Makes, makeRun, type StartMaking } from "../../src/sweep/making.ts";
import { peer } from "../../src/sweep/peers.ts";
import { StoredRun } from "../../src/sweep/snapshots.ts";
import type { Store } from "../../src/sweep/store.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { configHash, parseConfig } from "../../src/train/config/parse.ts";
import { temporaryFolder } from "../support/folder.ts";
import { shortConfig } from "../support/jobs.ts";

const config = shortConfig({ steps: 8, every: 2 });
const name = configHash(parseConfig(config, "short.yaml")).slice(0, 16);
const [job] = jobsOf([{ name, config }]);

/** Trains here; `act` is called after each step with what stops and kills it, and waited for. */
const startHere =
  (act: (step: number, making: { stop(): void; kill(): void }) => unknown = () => {}): StartMaking =>
  (given, folder, events) => {
    const control = new AbortController();
    const making = { stop: () => control.abort("stopped"), kill: () => control.abort("killed") };
    const train = async (): Promise<Ending> => {
      const { trainer, train: loader } = buildTrainer(configFor(given, folder, []), {
        loggers: [
          {
            changesTraining: false,
            onTrainBatchEnd: async ({ step }) => {
              await act(step, making);
              await new Promise((resolve) => setTimeout(resolve, 5));
            },
            onAfterSaveCheckpoint: () => events.saved(),
          },
        ],
      });
      try {
        return { type: "finished", digest: (await trainer.fit(loader!, [], { signal: control.signal })).digest };
      } catch {
        return control.signal.reason === "killed" ? { type: "crashed", how: "killed" } : { type: "stopped" };
      }
    };
    return { ended: train(), ...making };
  };

const making = (changes: Partial<Makes> & { readonly store: Store }): Makes => ({
  writer: { turn: 1, id: "a" },
  scratch: temporaryFolder(),
  start: startHere(),
  progress: () => {},
  say: () => {},
  signal: new AbortController().signal,
  ...changes,
});

test("published at each checkpoint, finished once, and nothing stays where it was made", async () => {
  const store = folderStore(temporaryFolder());
  const given = making({ store });
  const ending = await makeRun(job, given);
  const { trainer, train } = buildTrainer(parseConfig(config, "short.yaml"), {
    modelDir: undefined,
    checkpoint: null,
    loggers: [],
  });
  const { digest } = await trainer.fit(train!);
  expect(ending).toEqual({ type: "finished", digest });
  expect(readdirSync(given.scratch)).toEqual([]);
  const nobody = making({ store, start: () => expect.unreachable("it isn't made again") });
  expect(await makeRun(job, nobody)).toEqual(ending);
});

test("a store that fails in the middle: the making is ended, and the error is the store's; another goes on from what there is", async () => {
  const store = folderStore(temporaryFolder());
  let indices = 0;
  const failing: Store = {
    ...store,
    put: (key, bytes) =>
      key.includes("/snapshots/") && ++indices === 2
        ? Promise.reject(new CheckpointError({ where: key, problem: "the store can't be written" }))
        : store.put(key, bytes),
  };
  // However quick the run is, that of step 2 is published before the next checkpoint.
  const published = () => expect.poll(() => indices).toBeGreaterThan(0);
  const start = startHere((step) => step === 3 && published());
  await expect(makeRun(job, making({ store: failing, start }))).rejects.toThrow("the store can't be written");
  expect((await new StoredRun(store, name).snapshots()).map(({ step }) => step)).toEqual([2]);
  const said: string[] = [];
  const ending = await makeRun(job, making({ store, writer: { turn: 2, id: "b" }, say: (text) => said.push(text) }));
  expect(ending.type).toBe("finished");
  expect(said).toEqual(["goes on from step 2"]);
});

test("stopped, it is saved and published; given to another, it is given up at once and publishes no more", async () => {
  const store = folderStore(temporaryFolder());
  const control = new AbortController();
  const stopping = startHere((step) => step === 3 && control.abort("stopped"));
  expect(await makeRun(job, making({ store, start: stopping, signal: control.signal }))).toEqual({ type: "stopped" });
  expect((await new StoredRun(store, name).snapshots()).map(({ step }) => step)).toEqual([3]);

  const taken = new AbortController();
  const losing = startHere((step) => step === 5 && taken.abort(lost));
  const ending = await makeRun(
    job,
    making({ store, start: losing, signal: taken.signal, writer: { turn: 2, id: "b" } }),
  );
  expect(ending.type).toBe("crashed");
  expect(Math.max(...(await new StoredRun(store, name).snapshots()).map(({ step }) => step))).toBeLessThan(5);
});

test("a damaged snapshot is told of, an older one is taken, and the result heals the store", async () => {
  const store = folderStore(temporaryFolder());
  for (const [turn, last] of [
    [1, 2],
    [2, 5],
  ]) {
    const control = new AbortController();
    const start = startHere((step) => step === last && control.abort("stopped"));
    await makeRun(job, making({ store, start, signal: control.signal, writer: { turn, id: "a" } }));
  }
  const run = new StoredRun(store, name);
  const [newest, older] = await run.snapshots();
  expect([newest.step, older.step]).toEqual([5, 2]);
  await store.put(`runs/${name}/objects/${newest.files["chain.bin"]}`, new Uint8Array(7));
  const said: string[] = [];
  const ending = await makeRun(job, making({ store, writer: { turn: 3, id: "c" }, say: (text) => said.push(text) }));
  expect(ending.type).toBe("finished");
  expect(said).toEqual([
    expect.stringMatching(/^warning: .*chain\.bin: its content isn't what was put there/),
    "goes on from step 2",
  ]);
  await run.restore((await run.snapshots())[0], `${temporaryFolder()}/run`);
});

test("a package that isn't installed: the line for npm", async () => {
  const absent = "no-such-package-of-any-name";
  const error = await peer("queue", import(absent)).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toContain("npm install bullmq@6.7 ioredis@6.0");
  await expect(peer("store", import(absent))).rejects.toThrow("npm install s3mini@1.0");
  await expect(peer("store", Promise.reject(new TypeError("its own")))).rejects.toThrow(TypeError);
});
