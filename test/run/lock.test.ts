// The folder's lock: one run at a time, in one process or in many; a lock left behind is taken over.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/core/errors.ts";
import { processIdentity, replaceFileCalls, thisProcess } from "../../src/io/files.node.ts";
import { lockFolder } from "../../src/run/lock.ts";
import { fullDisk, temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const holder = (folder: string) => `import { lockFolder } from "${root}src/run/lock.ts";
  try { lockFolder(${JSON.stringify(folder)}); console.log("held"); setInterval(() => {}, 1000); }
  catch (error) { console.log(error.name); }`;

function start(folder: string) {
  const path = `${folder}/holder.mts`;
  writeFileSync(path, holder(folder));
  const child = spawn(process.execPath, ["--import", "tsx", path], { cwd: root });
  const said = new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data).trim())));
  return { child, said };
}

describe("lock", () => {
  test("a second one is refused, with the process that holds it; released, it is free", () => {
    const folder = temporaryFolder();
    const release = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(CheckpointError);
    expect(() => lockFolder(folder)).toThrow(`process ${process.pid}`);
    release();
    expect(existsSync(`${folder}/lock`)).toBe(false);
    lockFolder(folder)();
  });

  test("another process is kept out; killed, its lock is taken over", async () => {
    const folder = temporaryFolder();
    const { child, said } = start(folder);
    expect(await said).toBe("held");
    expect(() => lockFolder(folder)).toThrow(/another run is using this folder/);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    lockFolder(folder)();
  });

  test("of many that want a stale lock at once, one gets it", async () => {
    const folder = temporaryFolder();
    writeFileSync(`${folder}/lock`, JSON.stringify({ pid: 2 ** 22 + 1, started: "1" }));
    writeFileSync(`${folder}/lock-${2 ** 22 + 1}-1`, "");
    const runs = Array.from({ length: 4 }, () => start(folder));
    const said = await Promise.all(runs.map((run) => run.said));
    for (const { child } of runs) child.kill("SIGKILL");
    expect(said.sort()).toEqual(["CheckpointError", "CheckpointError", "CheckpointError", "held"]);
    expect(readdirSync(folder).sort()).toEqual(["holder.mts", "lock"]);
  }, 20_000);

  test("a process number used again isn't the same process; a lock cut off is stale", () => {
    const folder = temporaryFolder();
    for (const text of [JSON.stringify({ ...thisProcess(), started: "1" }), "", '{"pid":']) {
      writeFileSync(`${folder}/lock`, text);
      const release = lockFolder(folder);
      expect(JSON.parse(readFileSync(`${folder}/lock`, "utf8"))).toEqual(thisProcess());
      release();
    }
  });

  test("waits its turn while another process is looking, and gives up after a while", () => {
    const folder = temporaryFolder();
    // The parent of this process lives as long as it does.
    const claim = `${folder}/lock-${process.ppid}-${processIdentity(process.ppid)}`;
    writeFileSync(claim, "");
    expect(() => lockFolder(folder)).toThrow(/others are taking this folder's lock/);
    expect(readdirSync(folder)).toEqual([basename(claim)]);
    rmSync(claim);
    lockFolder(folder)();
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
      lockFolder(folder)();
    }
  });

  test("what isn't ours isn't released", () => {
    const folder = temporaryFolder();
    const release = lockFolder(folder);
    writeFileSync(`${folder}/lock`, "another's");
    release();
    expect(readFileSync(`${folder}/lock`, "utf8")).toBe("another's");
  });
});
