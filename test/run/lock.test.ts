// The folder's lock: one run at a time, in one process or in many; a lock left behind is taken over.
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256, toHex } from "../../src/core/canonical.ts";
import { CheckpointError } from "../../src/core/errors.ts";
import { processIdentity, replaceFileCalls, thisPlace, thisProcess } from "../../src/io/files.node.ts";
import { lockFolder } from "../../src/run/lock.ts";
import { source } from "../support/cli.ts";
import { fullDisk, temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

/** As claims name this place. */
const placeHash = () => {
  const { host, boot, namespace } = thisPlace();
  return toHex(sha256(new TextEncoder().encode(JSON.stringify([host, boot, namespace])))).slice(0, 16);
};

const holder = (folder: string) => `import { lockFolder } from "${source("run/lock")}";
  try { lockFolder(${JSON.stringify(folder)}); console.log("held"); setInterval(() => {}, 1000); }
  catch (error) { console.log(error.name); }`;

function start(folder: string) {
  const path = `${folder}/holder.mjs`;
  writeFileSync(path, holder(folder));
  const child = spawn(process.execPath, [path], { cwd: root });
  const said = new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data).trim())));
  return { child, said };
}

describe("lock", () => {
  test("a second one is refused, with the process that holds it; released, it is free", () => {
    const folder = temporaryFolder();
    const { release } = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(CheckpointError);
    expect(() => lockFolder(folder)).toThrow(`process ${process.pid} on ${thisPlace().host}`);
    expect(() => lockFolder(folder)).toThrow(`rm ${folder}/lock`);
    release();
    expect(existsSync(`${folder}/lock`)).toBe(false);
    lockFolder(folder).release();
  });

  test("another process is kept out; killed, its lock is taken over", async () => {
    const folder = temporaryFolder();
    const { child, said } = start(folder);
    expect(await said).toBe("held");
    expect(() => lockFolder(folder)).toThrow(/another run is using this folder/);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    lockFolder(folder).release();
  });

  test("of many that want a stale lock at once, one gets it", async () => {
    const folder = temporaryFolder();
    writeFileSync(`${folder}/lock`, JSON.stringify({ ...thisPlace(), pid: 2 ** 22 + 1, started: "1" }));
    writeFileSync(`${folder}/lock-${placeHash()}-${2 ** 22 + 1}-1`, "");
    const runs = Array.from({ length: 4 }, () => start(folder));
    const said = await Promise.all(runs.map((run) => run.said));
    for (const { child } of runs) child.kill("SIGKILL");
    expect(said.sort()).toEqual(["CheckpointError", "CheckpointError", "CheckpointError", "held"]);
    expect(readdirSync(folder).sort()).toEqual(["holder.mjs", "lock"]);
  }, 90_000);

  test("a process number used again isn't the same process", () => {
    const folder = temporaryFolder();
    writeFileSync(`${folder}/lock`, JSON.stringify({ ...thisPlace(), ...thisProcess(), started: "1" }));
    const { release } = lockFolder(folder);
    expect(JSON.parse(readFileSync(`${folder}/lock`, "utf8"))).toEqual({ ...thisPlace(), ...thisProcess() });
    release();
  });

  /** Locks of owners whose process number means nothing here. */
  const foreign = [
    ["another host", JSON.stringify({ ...thisPlace(), ...thisProcess(), host: "elsewhere" })],
    ["another start of the system", JSON.stringify({ ...thisPlace(), ...thisProcess(), boot: "another" })],
    ["another container", JSON.stringify({ ...thisPlace(), pid: 2 ** 22 + 1, started: "1", namespace: "pid:[1]" })],
    ["an earlier version", JSON.stringify({ pid: 2 ** 22 + 1, started: "1" })],
    ["a text that was cut off", '{"pid":'],
    ["an empty file", ""],
  ] as const;

  test.each(foreign)("of %s: held while it is written again, free two minutes after", (_name, text) => {
    const folder = temporaryFolder();
    writeFileSync(`${folder}/lock`, text);
    expect(() => lockFolder(folder)).toThrow(/another run is using this folder/);
    expect(readFileSync(`${folder}/lock`, "utf8")).toBe(text);
    const written = (secondsAgo: number) => {
      const time = statSync(`${folder}/lock`).mtimeMs / 1000 - secondsAgo;
      utimesSync(`${folder}/lock`, time, time);
    };
    written(100);
    expect(() => lockFolder(folder)).toThrow(`rm ${folder}/lock`);
    written(30);
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a claim of another container's is waited for, and removed when it is old", () => {
    const folder = temporaryFolder();
    const claim = `${folder}/lock-${"0".repeat(16)}-1-1`;
    writeFileSync(claim, "");
    expect(() => lockFolder(folder)).toThrow(/others are taking this folder's lock/);
    utimesSync(claim, 0, 0);
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is written again while it is held, without keeping the process alive", () => {
    const folder = temporaryFolder();
    const { check, release } = lockFolder(folder);
    utimesSync(`${folder}/lock`, 0, 0);
    check();
    expect(statSync(`${folder}/lock`).mtimeMs).toBeGreaterThan(0);
    release();
    const path = `${folder}/ends.mjs`;
    writeFileSync(path, `import { lockFolder } from "${source("run/lock")}";\nlockFolder(${JSON.stringify(folder)});`);
    const ended = spawnSync(process.execPath, [path], { cwd: root, timeout: 60_000 });
    expect([ended.status, ended.signal]).toEqual([0, null]);
  });

  test.each([
    ["another's", (path: string) => writeFileSync(path, JSON.stringify({ ...thisPlace(), pid: 1, started: "1" }))],
    ["gone", (path: string) => rmSync(path)],
    [
      "a link",
      (path: string) => {
        rmSync(path);
        symlinkSync("/dev/null", path);
      },
    ],
  ])("one that is %s is lost: its owner is told, and leaves it as it is", (_name, change) => {
    const folder = temporaryFolder();
    const lock = lockFolder(folder);
    change(`${folder}/lock`);
    const there = readdirSync(folder);
    expect(() => lock.check()).toThrow(/this run's lock was taken away/);
    expect(lock.lost).toBe(true);
    expect(() => lock.beat()).toThrow(CheckpointError);
    lock.release();
    expect(readdirSync(folder)).toEqual(there);
  });

  test("a run that loses its lock stops, and writes no more of the folder's files", async () => {
    const folder = `${temporaryFolder()}/run`;
    const manifest = () => readFileSync(`${folder}/manifest.json`, "utf8");
    let before = "";
    const thief = {
      name: "thief",
      changesTraining: false,
      onTrainStepEnd({ step }: { step: number }) {
        if (step !== 3) return;
        rmSync(`${folder}/lock`);
        before = manifest();
      },
    };
    const trainer = toyTrainer({ modelDir: folder, checkpoint: { steps: 2 }, callbacks: [thief] });
    await expect(trainer.fit(toyTrain())).rejects.toThrow(/this run's lock was taken away/);
    expect(before).toContain('"status":"running"');
    expect(manifest()).toBe(before);
    expect(readdirSync(`${folder}/checkpoints`)).not.toContain("checkpoint_4.safetensors");
  });

  test("waits its turn while another process is looking, and gives up after a while", () => {
    const folder = temporaryFolder();
    // The parent of this process lives as long as it does.
    const claim = `${folder}/lock-${placeHash()}-${process.ppid}-${processIdentity(process.ppid)}`;
    writeFileSync(claim, "");
    expect(() => lockFolder(folder)).toThrow(/others are taking this folder's lock/);
    expect(readdirSync(folder)).toEqual([basename(claim)]);
    rmSync(claim);
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a full disk at any call: refused, and nothing is left behind", () => {
    for (const call of ["openSync", "writeSync", "fsyncSync", "renameSync"] as const) {
      const folder = temporaryFolder();
      const restore = replaceFileCalls({ [call]: fullDisk });
      try {
        expect(() => lockFolder(folder), call).toThrow(CheckpointError);
      } finally {
        restore();
      }
      expect(readdirSync(folder), call).toEqual([]);
      lockFolder(folder).release();
    }
  });

  test("what isn't ours isn't released", () => {
    const folder = temporaryFolder();
    const { release } = lockFolder(folder);
    writeFileSync(`${folder}/lock`, "another's");
    release();
    expect(readFileSync(`${folder}/lock`, "utf8")).toBe("another's");
  });
});
