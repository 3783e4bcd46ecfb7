// Images in folders, PNG files of every kind that Pillow wrote (files/make.py): red, green, blue; white, grey, black.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../../src/core/errors.ts";
import { type DataLoader, dataLoader, imageFolder, type LoadedBatch } from "../../src/data/index.ts";
import { crc32 } from "../../src/io/crc.ts";
import { decodePng } from "../../src/io/png.none.ts";
import * as nn from "../../src/nn/index.ts";
import { loaders } from "../../src/train/config/families.ts";
import { temporaryFolder } from "../support/folder.ts";
import { resumed } from "../support/resumed.ts";
import { root } from "../support/sources.ts";
import { toyOptions, toyTrainer } from "../support/toy.ts";

/** A folder of classes, each with copies of images. */
function folderOf(classes: Readonly<Record<string, readonly string[]>>): string {
  const folder = `${temporaryFolder()}/shapes`;
  for (const [name, images] of Object.entries(classes)) {
    mkdirSync(`${folder}/${name}`, { recursive: true });
    images.forEach((image, i) => {
      copyFileSync(`${root}test/data/files/${image}.png`, `${folder}/${name}/${i}.png`);
    });
  }
  return folder;
}
const whole = (loader: DataLoader): LoadedBatch["tensors"] =>
  [...(loader.batches({ seed: 1n, offset: 0 }, 0, { whole: true }) as Iterable<LoadedBatch>)][0].tensors;
const read = (folder: string, options = {}) => whole(dataLoader(imageFolder({ folder, ...options }), { batchSize: 9 }));
const bytesOf = (values: ArrayLike<number>) => Array.from(values, (value) => Math.round(value * 255));

/** A grey image, of these packed rows. */
function png(width: number, height: number, packed: Uint8Array, type = "IDAT"): Buffer {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const chunk = (name: string, data: Uint8Array) => {
    const named = Buffer.concat([Buffer.from(name), data]);
    return Buffer.concat([u32(data.length), named, u32(crc32(named))]);
  };
  const header = Buffer.concat([u32(width), u32(height), Buffer.of(8, 0, 0, 0, 0)]);
  const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([signature, chunk("IHDR", header), chunk(type, packed), chunk("IEND", Buffer.of())]);
}

const rgb = [
  ...[255, 0, 0, 255, 128, 0], // red
  ...[0, 255, 0, 255, 128, 0], // green
  ...[0, 0, 255, 255, 128, 0], // blue
];

describe("imageFolder", () => {
  test("classes by folder, channels first, whatever kind of PNG", () => {
    const { inputs, targets } = read(folderOf({ b: ["rgb", "palette"], a: ["alpha"] }));
    expect(inputs.shape).toEqual([3, 3, 2, 3]);
    expect(bytesOf(inputs.data)).toEqual([...rgb, ...rgb, ...rgb]);
    expect(Array.from(targets.data)).toEqual([0, 1, 1]);
    expect(inputs.data[0]).toBe(1);
    expect(inputs.data[4]).toBe(Math.fround(128 / 255));
  });

  test("grey: one channel, as Pillow has it; 16 bits become 8", () => {
    const { inputs } = read(folderOf({ a: ["rgb", "grey", "deep"] }), { colour: "grey" });
    expect(inputs.shape).toEqual([3, 1, 2, 3]);
    const steps = [0, 51, 102, 153, 204, 255];
    expect(bytesOf(inputs.data)).toEqual([76, 150, 29, 255, 128, 0, ...steps, ...steps]);
  });

  test("standardised by channel, each operation rounded", () => {
    const how = { mean: [0.5, 0.25, 0], deviation: [0.5, 0.3, 2] };
    const { inputs } = read(folderOf({ a: ["rgb"] }), how);
    const round = Math.fround;
    const expected = rgb.map((byte, i) => {
      const channel = Math.floor(i / 6);
      return round(round(round(byte / 255) - round(how.mean[channel])) / round(how.deviation[channel]));
    });
    expect(Array.from(inputs.data)).toEqual(expected);
  });

  test("its digests are of the files, their classes and how they are read", () => {
    const digests = [
      imageFolder({ folder: folderOf({ a: ["rgb"], b: ["grey"] }) }),
      imageFolder({ folder: folderOf({ a: ["rgb"], c: ["grey"] }) }),
      imageFolder({ folder: folderOf({ a: ["rgb"], b: ["palette"] }) }),
      imageFolder({ folder: folderOf({ a: ["rgb"], b: ["grey"] }), colour: "grey" }),
      imageFolder({ folder: folderOf({ a: ["rgb"], b: ["grey"] }), classes: ["b", "a"] }),
    ].map((dataset) => dataset.digests["shapes/images"]);
    expect(new Set(digests).size).toBe(5);
    expect(imageFolder({ folder: folderOf({ a: ["rgb"], b: ["grey"] }) }).digests["shapes/images"]).toBe(digests[0]);
  });

  test("what is wrong", () => {
    const folder = folderOf({ a: ["rgb"], b: ["grey"] });
    const refused = (options: object, message: RegExp) => {
      expect(() => imageFolder({ folder, ...options })).toThrow(DataError);
      expect(() => imageFolder({ folder, ...options })).toThrow(message);
    };
    refused({ classes: ["a", "c"] }, /no folder of this class/);
    refused({ mean: [1] }, /mean: not a number for each channel: got 1 numbers, expected 3/);
    refused({ folder: temporaryFolder() }, /no images/);
    writeFileSync(`${folder}/b/x.jpg`, "");
    refused({}, /x\.jpg: not an image that is read/);
    writeFileSync(`${folder}/a/0.png`, "no image");
    refused({ classes: ["a"] }, /0\.png: not a PNG image, or a damaged one/);
    expect(() => decodePng("a.png", new Uint8Array())).toThrow(/aren't decoded here/);
  });

  test("a damaged image is refused: no pixels of what lay in memory, and no more memory than it has", () => {
    const folder = folderOf({ a: ["rgb"] });
    const refused = (options: object, message: RegExp) =>
      expect(() => imageFolder({ folder, ...options })).toThrow(message);
    const packed = deflateSync(Buffer.alloc(72));
    const small = png(8, 8, packed);
    for (const [bytes, message] of [
      [small, /^$/],
      [png(8, 8, packed, "iDAT"), /unexpected end of file/],
      [png(8, 8, packed.subarray(0, -5)), /unexpected end of file/],
      [
        png(
          8,
          8,
          packed.map((byte, i) => (i === 3 ? 255 : byte)),
        ),
        /got inva?lid|incorrect/,
      ],
      [png(8, 9, packed), /got 72 bytes for 9 × 8 pixels/],
      [png(8, 0, packed), /got 0 × 8 pixels/],
      [png(2 ** 31 - 1, 2 ** 31 - 1, packed), /got 2147483647 × 2147483647 pixels/],
      [png(8, 8, deflateSync(Buffer.alloc(2 ** 20))), /larger than 65608 bytes/],
      [small.map((byte, i) => (i === 37 ? 0x69 : byte)), /chunk iDAT with a wrong checksum/],
      // pngjs would ask for the memory of the second.
      [Buffer.concat([small.subarray(0, 33), png(2 ** 15, 2 ** 15, packed).subarray(8)]), /chunk IHDR at byte 33/],
      [Buffer.concat([small, Buffer.of(10)]), /a chunk that is cut off/],
    ] as const) {
      writeFileSync(`${folder}/a/0.png`, bytes);
      if (message.source === "^$")
        expect(imageFolder({ folder, classes: ["a"] }).fields.inputs.shape).toEqual([3, 8, 8]);
      else refused({ classes: ["a"] }, message);
    }
  });
});

test("a run on images resumes in mid-epoch; validation images of other classes are refused", async () => {
  const folder = folderOf({ a: ["rgb", "alpha", "grey"], b: ["palette"] });
  const loader = (more = {}) =>
    loaders.make({ name: "images", folder, colour: "grey", batchSize: 1, shuffle: true, ...more });
  const model = () => nn.sequential(nn.flatten(), nn.linear(6, 2));
  const [first, again] = await resumed(toyOptions({ model }), loader);
  expect(again).toBe(first);
  const other = loader({ folder: folderOf({ a: ["rgb"], c: ["palette"] }) });
  const fit = toyTrainer({ model, loop: { numSteps: 1, evalFrequency: "end" } }).fit(loader(), other);
  await expect(fit).rejects.toThrow(ConfigError);
  await expect(fit).rejects.toThrow(/classes: not the classes of loader shapes: got a, c, expected a, b/);
});
