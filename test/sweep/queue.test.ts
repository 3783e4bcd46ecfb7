// Runs made by other processes, over a Redis of the test's own: killed runners, two runners with one job, Redis gone and back, and machines that can't make a run. What must come out is always the digest of
// a run that one process made without interruption.
import type { ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Outcome } from "../../src/cli/command.ts";
import { fitConfig } from "../../src/cli/fit.ts";
import { type SweepFlags, sweep } from "../../src/cli/sweep.ts";
import { verify } from "../../src/cli/verify.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { folderStore } from "../../src/sweep/folder-store.node.ts";
import { filesOf } from "../../src/sweep/folders.node.ts";
import { type Job, jobsOf } from "../../src/sweep/job.ts";
import { connectQueue, JobQueue, type QueuedRun } from "../../src/sweep/queue.ts";
import type { Replicated } from "../../src/sweep/replicas.ts";
import { StoredRun } from "../../src/sweep/snapshots.ts";
import { openStore } from "../../src/sweep/stores.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { configHash, parseConfig } from "../../src/train/config/parse.ts";
import { type Attestation, judgeAttestations, readAttested, readStatements } from "../../src/verify/attestation.ts";
import { newKeys } from "../../src/verify/keys.ts";
import { mainOfSources, script, start } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { shortConfig } from "../support/jobs.ts";
import { noRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { startS3 } from "../support/s3.ts";

/** A job of so many steps, and the digest that it must come to. */
async function planned(steps: number, seed = 7): Promise<{ job: Job; digest: string }> {
  const text = shortConfig({ steps, every: 5, seed });
  const config = parseConfig(text, "short.yaml");
  const name = configHash(config).slice(0, 16);
  const { trainer, train } = buildTrainer(config, { modelDir: undefined, checkpoint: null, loggers: [] });
  const { digest } = await trainer.fit(train!);
  return { job: jobsOf([{ name, config: text }])[0], digest };
}

let redis: TestRedis;
let queue: JobQueue;
let close: () => Promise<void>;
const password = "correct-horse-battery";

const settings = { REDIS_PASSWORD: password };
let store: string;
beforeAll(async () => {
  if (noRedis) return;
  redis = await startRedis(password);
  const connection = await connectQueue(redis.address, settings);
  queue = await JobQueue.open(connection);
  close = async () => {
    await queue.close();
    await connection.close();
  };
  store = `file:${scratch()}`;
});
afterAll(async () => {
  for (const child of [...alive]) child.kill("SIGKILL");
  await close?.();
  await redis?.stop();
});

const alive = new Set<ChildProcess>();

/** For runners whose beginnings are counted: on a busy machine one that is a second late is taken for dead, and its job begun again. */
const patient = ["--lease", "60"];

interface TestRunner {
  readonly child: ChildProcess;
  said(): string;
  readonly ended: Promise<number | null>;
}

/** Starts a runner as a user does; resolves when it takes jobs. */
function startRunner(
  flags: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
  command?: readonly string[],
): Promise<TestRunner> {
  return new Promise((resolve, reject) => {
    let said = "";
    let child: ChildProcess;
    const args = ["runner", "--queue", redis.address, "--store", store, "--lease", "1", ...flags];
    const env = { ...process.env, ...settings, ...environment };
    const ended = start(
      args,
      (text) => {
        said = text;
        if (/ takes runs from /.test(text)) resolve({ child, said: () => said, ended });
      },
      undefined,
      (made) => {
        child = made;
      },
      env,
      command,
    ).then(({ code, stderr }) => {
      alive.delete(child);
      reject(new Error(stderr));
      return code;
    });
    alive.add(child!);
  });
}

async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it never came to be: ${what}`);
}

const finished = (name: string): Promise<QueuedRun> =>
  until(`${name} finished`, async () => {
    const run = await queue.look(name);
    if (run.state === "failed") throw new Error(run.why);
    return run.state === "finished" && run;
  });

const stored = ({ name }: Job): StoredRun => new StoredRun(folderStore(store.slice("file:".length)), name);

/** Waits until a run has a snapshot of a step in the store. */
async function snapshotOf(job: Job): Promise<void> {
  await until(`${job.name} begun`, async () => ((await stored(job).snapshots())[0]?.step ?? 0) > 0);
}

/** The runner of two that has a job, once that has a snapshot in the store; and the other. */
async function holderOf(job: Job, runners: readonly TestRunner[]): Promise<[TestRunner, TestRunner]> {
  await snapshotOf(job);
  const [holder] = runners.filter(({ said }) => said().includes(`${job.name}: begins`));
  return [holder, runners.find((runner) => runner !== holder)!];
}

/** A sweep of short runs with these seeds, and the command that has it made over the queue, called in this process. */
function sweepOf(steps: number, seeds: readonly number[]) {
  const folder = scratch();
  writeFileSync(join(folder, "base.yaml"), shortConfig({ steps: steps, every: 10 }));
  const file = join(folder, "sweep.yaml");
  writeFileSync(file, `config: base.yaml\nseeds: [${seeds}]\n`);
  const over = (flags: SweepFlags = {}) =>
    sweep(file, { folder: join(folder, "queued"), queue: redis.address, store, ...flags });
  return { folder, file, over };
}

describe.skipIf(noRedis)("a queue", () => {
  beforeEach(() => {
    vi.stubEnv("REDIS_PASSWORD", password);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const child of [...alive]) child.kill("SIGKILL");
    // A patient runner's look for dead ones keeps others from looking for as long as its lease.
    const client = new Redis(redis.address, { password });
    for (const key of await client.keys("*:stalled-check")) await client.del(key);
    client.disconnect();
  });

  test("a runner that is killed in the middle, and one that is stopped: the next goes on from the last checkpoint in the store, to the same digest", async () => {
    const { job, digest } = await planned(600);
    await queue.add([job]);
    // Twice there is once there.
    await queue.add([job]);
    const [killed, next] = await holderOf(job, await Promise.all([startRunner(), startRunner()]));
    killed.child.kill("SIGKILL");
    await until("another goes on", () => next.said().includes("goes on from step"));
    next.child.kill("SIGTERM");
    const last = startRunner(patient);
    expect(await next.ended).toBe(0);
    expect(next.said()).toContain("saving what is being made");
    expect((await finished(job.name)).result?.digest).toBe(digest);
    expect((await last).said()).toMatch(/goes on from step \d+/);
    expect(await stored(job).digest()).toBe(digest);
    // Whoever reads the store learns nothing of the machines.
    const snapshots = filesOf(join(store.slice("file:".length), "runs", job.name, "snapshots"));
    expect(snapshots.filter((name) => !/^\d+-runner-[0-9a-z]{1,13}\.json$/.test(name))).toEqual([]);
    expect(snapshots.length).toBeGreaterThan(0);
    // What is finished isn't made again, wherever the queue has its job from.
    await queue.add([job]);
    await finished(job.name);
    expect((await last).said().match(/goes on|begins/g)).toHaveLength(1);
  });

  test("a runner that was thought dead and comes back: one result, and the queue has one", async () => {
    const { job, digest } = await planned(600, 8);
    await queue.add([job]);
    const [frozen, other] = await holderOf(job, await Promise.all([startRunner(), startRunner()]));
    frozen.child.kill("SIGSTOP");
    await until("another goes on", () => other.said().includes("goes on from step"));
    frozen.child.kill("SIGCONT");
    expect((await finished(job.name)).result?.digest).toBe(digest);
    await until("the run is given up", () => stored(job).digest());
    const [result, ...others] = await stored(job).snapshots();
    expect(result.digest).toBe(digest);
    expect(others.every((snapshot) => [undefined, digest].includes(snapshot.digest))).toBe(true);
    await stored(job).restore(result, `${scratch()}/run`);
  });

  test("Redis is killed and comes back: nothing is lost, and nobody gives up", async () => {
    const jobs = await Promise.all([planned(200, 9), planned(200, 10), planned(200, 11)]);
    await queue.add(jobs.map(({ job }) => job));
    const runner = await startRunner();
    await until("one begun", () => runner.said().includes("begins"));
    await redis.kill();
    await until("it is told", () => runner.said().includes("Redis doesn't answer"));
    await redis.restart();
    for (const { job, digest } of jobs) expect((await finished(job.name)).result?.digest).toBe(digest);
    expect(runner.said()).toContain("Redis answers again");
  });

  test("a machine that can't make a run says why and leaves it, and makes others; one that can, makes it", async () => {
    const [{ job, digest }, other] = await Promise.all([planned(10, 12), planned(10, 13)]);
    const elsewhere = {
      ...job,
      data: [{ ...job.data[0], "penguins.json/table": "0".repeat(64) }, ...job.data.slice(1)],
    };
    const older = { ...job, name: "0123456789abcdef", numericsId: "seedgrad-numerics/0" };
    await queue.add([elsewhere, older, other.job]);
    const runner = await startRunner(["--concurrency", "3"]);
    const refused = async (name: string, why: RegExp) => {
      const run = await until(`${name} refused`, async () => {
        const found = await queue.look(name);
        return found.progress && "why" in found.progress && found;
      });
      expect(run).toMatchObject({
        state: expect.stringMatching(/waiting|active/),
        progress: { why: expect.stringMatching(why) },
      });
      expect(runner.said()).toMatch(new RegExp(`${name}: left for others: .*${why.source}`));
    };
    await refused(elsewhere.name, /another penguins\.json\/table: SHA-256 [0-9a-f]{64}, the job's is 0{64}/);
    await refused(older.name, /its numerics id is .*, the job's is seedgrad-numerics\/0/);
    expect((await finished(other.job.name)).result?.digest).toBe(other.digest);
    expect(await stored(job).snapshots()).toEqual([]);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a sweep over the queue: followed, fetched, and the table that the sweep on one machine has", async () => {
    const { file, over, folder } = sweepOf(30, [1, 2]);
    const local = start(["sweep", file, "--folder", join(folder, "local"), "--json"]);
    const runner = startRunner(patient);
    const away = await over();
    expect(away.code).toBe(0);
    const here = await local;
    expect(here.code, here.stderr).toBe(0);
    const table = (json: Outcome["json"]) =>
      (json.runs as { name: string; state: string; digest: string }[]).map(({ name, state, digest }) => [
        name,
        state,
        digest,
      ]);
    expect(table(away.json)).toEqual(table(here.json()));
    expect(table(away.json).map(([, state]) => state)).toEqual(["finished", "finished"]);
    for (const [name] of table(away.json))
      expect(readManifest(join(folder, "queued", name, "manifest.json")).status).toBe("finished");
    // Jobs that other tests left are begun and refused, too.
    const taking = await runner;
    const begun = () =>
      table(away.json).flatMap(([name]) => taking.said().match(new RegExp(`${name}: begins`, "g")) ?? []);
    expect(begun()).toHaveLength(2);
    // Begun anew, it finds them here; with another folder, in the store: nothing is made again.
    expect((await over()).json).toMatchObject({ finished: 2 });
    expect(table((await over({ folder: join(folder, "another") })).json)).toEqual(table(away.json));
    expect(begun()).toHaveLength(2);
    await expect(over({ store: undefined })).rejects.toThrow(/got no --store/);
    // A run that was made here, and that nobody has: the runner is given it, and signs what it finds.
    const own = join(folder, "own");
    expect((await fitConfig(join(folder, "base.yaml"), { modelDir: own, maxSteps: 20 })).code).toBe(0);
    newKeys(join(folder, "key"));
    const [checking, found] = await Promise.all([
      startRunner(["--keys", join(folder, "key")]),
      verify(own, { queue: redis.address, store, share: 5 }),
    ]);
    expect(found.code).toBe(0);
    const [, id] = /runner (\S+) takes/.exec(checking.said())!;
    expect(found.json.replicas).toMatchObject([{ same: [id], different: [] }]);
    const { statements } = readStatements(own);
    expect(statements).toMatchObject([
      {
        format: "seedgrad/attestation/1",
        verdict: "same",
        digest: readManifest(join(own, "manifest.json")).result!.digest,
      },
    ]);
    const [{ from, to }] = statements as Attestation[];
    expect([
      [0, 5],
      [10, 15],
    ]).toContainEqual([from, to]);
  });

  test("a fault planted in one runner's kernel: another finds it, a third names step and op, and all that runner's runs are marked", async () => {
    const { folder, over } = sweepOf(8, [31, 32]);
    const keyOf = async (name: string) => {
      const path = join(folder, `${name}.key`);
      return { path, publicKey: newKeys(path) };
    };
    const keys = { a: await keyOf("a"), b: await keyOf("b"), c: await keyOf("c") };
    const [faulty, made] = await Promise.all([
      startRunner(["--keys", keys.a.path, "--import", script("fault")]),
      over(),
    ]);
    expect(made.code).toBe(0);
    await Promise.all([startRunner(["--keys", keys.b.path]), startRunner(["--keys", keys.c.path])]);
    // Of the two runs this seed draws one.
    const checked = await over({ replicas: 1, share: 0.5, shareSeed: 4n });
    expect(checked.code).toBe(1);
    const { wrong, doubtful, replicas } = checked.json as unknown as {
      wrong: string[];
      doubtful: { name: string; by: string[] }[];
      replicas: Replicated[];
    };
    const [, id] = /runner (\S+) takes/.exec(faulty.said())!;
    expect(wrong).toEqual([id]);
    expect(replicas).toHaveLength(1);
    expect(doubtful.map(({ by }) => by)).toEqual([[id], [id]]);
    for (const { name, same, different, settlement } of replicas) {
      expect([same, different.includes(id), different.length]).toEqual([[], false, 1]);
      expect(settlement).toMatchObject({
        step: 1,
        wrong: [keys.a.publicKey],
        what: expect.stringMatching(/float32|kernel/),
      });
      const run = join(folder, "queued", name);
      const trusted = new Map([keys.b, keys.c].map(({ publicKey }, i) => [publicKey, `runner ${i}`]));
      const [judged] = judgeAttestations([readAttested(run)], trusted);
      expect(judged.verdict).toBe("refuted");
      expect(judged.judged.map(({ statement, standing }) => [statement.format, standing]).sort()).toEqual([
        ["seedgrad/attestation/1", "counts"],
        ["seedgrad/ruling/1", "counts"],
      ]);
    }
  });

  test("over S3, and no password is in anything that is written: queue, store, and what the runner says", async () => {
    const s3 = await startS3();
    onTestFinished(() => s3.stop());
    const { job, digest } = await planned(40, 15);
    await queue.add([job]);
    const secret = "wJalrXUtnFEMI";
    const runner = await startRunner(["--store", s3.address], { ...s3.environment, AWS_SECRET_ACCESS_KEY: secret });
    expect((await finished(job.name)).result?.digest).toBe(digest);
    expect(await new StoredRun(await openStore(s3.address, s3.environment), job.name).digest()).toBe(digest);
    const written = [redis.folder, s3.folder].flatMap((folder) =>
      filesOf(folder).map((file) => readFileSync(join(folder, file), "latin1")),
    );
    expect(written.filter((text) => text.includes(job.name)).length).toBeGreaterThan(1);
    expect(written.length).toBeGreaterThan(8);
    for (const text of [...written, runner.said()])
      for (const word of [password, secret]) expect(text.includes(word)).toBe(false);
    const refused = await start([
      "runner",
      "--queue",
      redis.address.replace("//", `//:${password}@`),
      "--store",
      store,
    ]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("REDIS_PASSWORD");
    expect(refused.stderr).not.toContain(password);
  });

  test("a Redis that isn't there, or refuses, or an address that is none", async () => {
    const connect = (address: string, environment = {}) => connectQueue(address, environment);
    await expect(connect("localhost:6379")).rejects.toThrow(
      /not the address of a Redis: got localhost:6379, expected redis:/,
    );
    await expect(connect(redis.address)).rejects.toThrow(/can't be used: got NOAUTH/);
    await expect(connect(redis.address, { REDIS_PASSWORD: "another" })).rejects.toThrow(
      /can't be used: got (WRONGPASS|NOAUTH)/,
    );
    await expect(connect("redis://127.0.0.1:9")).rejects.toThrow(/can't be used: got .*ECONNREFUSED/);
  });

  test("a run that fails by itself fails once, and says of what", async () => {
    const { job } = await planned(10, 14);
    const failing = {
      ...job,
      name: "fedcba9876543210",
      config: job.config.replace("learning_rate: 0.01", "learning_rate: 1.0e+38"),
    };
    await queue.add([failing]);
    // From the sources its jobs are, too.
    const runner = await startRunner(patient, {}, mainOfSources);
    const run = await until("it failed", async () => {
      const found = await queue.look(failing.name);
      return found.state === "failed" && found;
    });
    expect(run.why).toMatch(/^TrainingError: .*loss/);
    expect(runner.said().match(/fedcba9876543210: begins/g)).toHaveLength(1);
  });
});
