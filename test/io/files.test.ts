// Files: what is written is there whole or not at all, whatever fails on the way.
import { readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError, DataError } from "../../src/core/errors.ts";
import * as node from "../../src/io/files.node.ts";
import { append, create, read, readText, replaceFileCalls, truncate, writeAtomic } from "../../src/io/files.node.ts";
import * as none from "../../src/io/files.none.ts";
import { fullDisk, temporaryFolder } from "../support/folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("writeAtomic", () => {
  test.each(["openSync", "writeSync", "fsyncSync", "closeSync", "renameSync"] as const)(
    "a full disk at %s leaves the old file, and no other",
    (call) => {
      const folder = temporaryFolder();
      const path = `${folder}/file`;
      writeAtomic(path, bytes("old"));
      const restore = replaceFileCalls({ [call]: fullDisk });
      try {
        expect(() => writeAtomic(path, bytes("new"))).toThrow(CheckpointError);
        expect(() => writeAtomic(path, bytes("new"))).toThrow(/the disk is full[\s\S]*Hint: free some space/);
      } finally {
        restore();
      }
      expect(readFileSync(path, "utf8")).toBe("old");
      expect(readdirSync(folder)).toEqual(["file"]);
      writeAtomic(path, bytes("new"));
      expect(readFileSync(path, "utf8")).toBe("new");
    },
  );

  test("short writes are carried on", () => {
    const path = `${temporaryFolder()}/file`;
    const restore = replaceFileCalls({
      writeSync: ((fd: number, data: Uint8Array, at: number, length: number) =>
        writeOne(fd, data, at, Math.min(1, length))) as never,
    });
    try {
      writeAtomic(path, bytes("abc"));
    } finally {
      restore();
    }
    expect(readText(path)).toBe("abc");
  });
});

const writeOne = (fd: number, data: Uint8Array, at: number, length: number) => writeSync(fd, data, at, length);

describe("append, truncate, create", () => {
  test("an append that fails midway is taken back", () => {
    const path = `${temporaryFolder()}/log`;
    append(path, bytes("one\n"));
    let calls = 0;
    const restore = replaceFileCalls({
      writeSync: ((fd: number, data: Uint8Array, at: number, length: number) =>
        calls++ === 0 ? writeOne(fd, data, at, Math.min(2, length)) : fullDisk()) as never,
    });
    try {
      expect(() => append(path, bytes("two\n"))).toThrow(/the disk is full/);
    } finally {
      restore();
    }
    expect(readText(path)).toBe("one\n");
  });

  test("truncate never grows a file", () => {
    const path = `${temporaryFolder()}/file`;
    writeFileSync(path, "abcdef");
    truncate(path, 2);
    expect(readText(path)).toBe("ab");
    expect(() => truncate(path, 3)).toThrow(CheckpointError);
  });

  test("create succeeds once", () => {
    const path = `${temporaryFolder()}/lock`;
    expect([create(path, bytes("a")), create(path, bytes("b"))]).toEqual([true, false]);
    expect(readText(path)).toBe("a");
  });
});

describe("errors", () => {
  test("name the path, in the class asked for", () => {
    expect(() => read("/nowhere/file")).toThrow(DataError);
    expect(() => read("/nowhere/file", CheckpointError)).toThrow(
      /^\/nowhere\/file: the file can't be read: got ENOENT/,
    );
  });

  test("where there are no files the same names throw", () => {
    expect(Object.keys(none).sort()).toEqual(Object.keys(node).sort());
    expect(none.exists("x")).toBe(false);
    expect(() => none.read("x")).toThrow(/no file system/);
    expect(none.sha256Hex(bytes("abc"))).toBe(node.sha256Hex(bytes("abc")));
  });
});
