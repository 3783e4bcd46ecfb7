// A run's folder in a zip archive, and where it lies among files.
import { describe, expect, test } from "vitest";
import { decodeZip } from "../../src/io/zip.ts";
import { runIn, runsAmong, unzipped, zipped } from "../../src/page/archive.ts";

const text = (value: string) => new TextEncoder().encode(value);
const files = { "runs/a/manifest.json": text("{}"), "runs/a/checkpoints/x": Uint8Array.from([1, 2, 3]) };

describe("archives", () => {
  test("what was zipped comes back, and other readers read it", async () => {
    const archive = await zipped(files);
    expect(await unzipped("a.zip", archive)).toEqual(files);
    expect(Object.fromEntries([...decodeZip("a.zip", archive)].filter(([, bytes]) => bytes.length > 0))).toEqual(files);
  });

  test("what is no archive is refused", async () => {
    await expect(unzipped("a.zip", text("no archive"))).rejects.toMatchObject({ name: "DataError", where: "a.zip" });
  });
});

test("what is given at once: archives and folders are a run each, plain files with the folders beside them the inside of one", () => {
  const [a, b] = [{ "a/manifest.json": text("a") }, { "b/manifest.json": text("b") }];
  const [manifest, inner] = [{ "manifest.json": text("c") }, { "checkpoints/x": text("x") }];
  expect(runsAmong([])).toEqual([]);
  expect(
    runsAmong([
      { kind: "folder", files: a },
      { kind: "archive", files: b },
    ]),
  ).toEqual([a, b]);
  expect(
    runsAmong([
      { kind: "file", files: manifest },
      { kind: "archive", files: b },
      { kind: "folder", files: inner },
    ]),
  ).toEqual([b, { ...manifest, ...inner }]);
});

describe("a run among files", () => {
  test("it is found wherever it lies, without what is beside it", () => {
    expect(runIn({ ...files, "runs/b.txt": text("b") }, "run")).toEqual({
      "run/manifest.json": text("{}"),
      "run/checkpoints/x": Uint8Array.from([1, 2, 3]),
    });
    expect(runIn({ "manifest.json": text("{}") }, "run")).toEqual({ "run/manifest.json": text("{}") });
  });

  test("none, or two, are refused", () => {
    expect(() => runIn({ "x/other.json": text("") }, "run")).toThrow("this is no run's folder");
    expect(() => runIn({ ...files, "runs/b/manifest.json": text("{}") }, "run")).toThrow("several runs are in it");
  });
});
