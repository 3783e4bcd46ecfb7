// Pages of a Parquet file that say more than they hold: without a check each of these never ended, ended the process, or was read as other values.
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { parquetTable } from "../../src/data/parquet.ts";
import { unsnappy } from "../../src/data/snappy.ts";
import { temporaryFolder } from "../support/folder.ts";
import {
  type ColumnFile,
  columnFile,
  dictionaryPage,
  firstPage,
  secondPage,
  varint,
  zigzag,
} from "../support/parquet.ts";

function textsOf(column: ColumnFile, ...pages: number[][]): string[] {
  const path = `${temporaryFolder()}/x.parquet`;
  writeFileSync(path, columnFile(column, ...pages));
  return [...parquetTable(path).rows].map(([{ text }]) => text);
}
const integers = (rows: number): ColumnFile => ({ type: "INT32", rows });
const seven = dictionaryPage(1, [7, 0, 0, 0]);
/** Three numbers, each of them one more: blocks of so many, in so many parts. */
const differences = (block: number, parts: number) => [
  ...[...varint(block), ...varint(parts), 3],
  ...[...zigzag(5), ...zigzag(1), 0, 0, 0, 0],
];
/** The lengths 0, step, 2·step …, or one length alone. */
const lengths = (count: number, first: number, step: number) => [
  ...[...varint(128), 1, ...varint(count), ...zigzag(first)],
  ...Array.from({ length: Math.ceil((count - 1) / 128) }, () => [...zigzag(step), 0]).flat(),
];
const texts = (count: number, step: number) => [
  ...lengths(count, 0, step),
  ...lengths(count, 1, 0),
  ...new Array<number>(count).fill(97),
];

test("whole ones are read", () => {
  expect(textsOf(integers(2), firstPage(2, "PLAIN", [1, 0, 0, 0, 2, 0, 0, 0]))).toEqual(["1", "2"]);
  expect(textsOf(integers(3), seven, firstPage(3, "RLE_DICTIONARY", [1, 6, 0]))).toEqual(["7", "7", "7"]);
  expect(textsOf(integers(3), seven, firstPage(3, "RLE_DICTIONARY", [0]))).toEqual(["7", "7", "7"]);
  expect(textsOf(integers(3), firstPage(3, "DELTA_BINARY_PACKED", differences(128, 4)))).toEqual(["5", "6", "7"]);
  expect(textsOf(integers(3), secondPage(3, "DELTA_BINARY_PACKED", differences(128, 4)))).toEqual(["5", "6", "7"]);
  const words = textsOf({ type: "BYTE_ARRAY", rows: 3 }, firstPage(3, "DELTA_BYTE_ARRAY", texts(3, 1)));
  expect(words).toEqual(["a", "aa", "aaa"]);
  const flags = firstPage(9, "RLE", [3, 0, 0, 0, 5, 0b101, 0b1]);
  expect(textsOf({ type: "BOOLEAN", rows: 9 }, flags).join("")).toBe("101000001");
});

test.each<[name: string, message: RegExp, file: [ColumnFile, ...number[][]]]>([
  [
    "packed values of no bits, more than a number holds",
    /a run of \d+ values in a page of 3/,
    [integers(3), seven, secondPage(3, "RLE_DICTIONARY", [0, ...varint(2 ** 31 - 1)])],
  ],
  [
    "a run's length of more than 32 bits",
    /a count that is cut off, or too large/,
    [integers(30), seven, firstPage(30, "RLE_DICTIONARY", [1, ...varint(2 ** 35 + 3), 0])],
  ],
  [
    "numbers that a dictionary hasn't",
    /a number that a dictionary hasn't/,
    [integers(3), seven, firstPage(3, "RLE_DICTIONARY", [1, 6, 1])],
  ],
  ["no dictionary", /a dictionary that isn't there/, [integers(3), firstPage(3, "RLE_DICTIONARY", [1, 6, 0])]],
  [
    "fewer than no parts of a block",
    /a count that is cut off, or too large/,
    [integers(3), firstPage(3, "DELTA_BINARY_PACKED", differences(128, 2 ** 32 - 2))],
  ],
  [
    "no parts of a block",
    /blocks of 128 differences in 0 parts/,
    [integers(3), firstPage(3, "DELTA_BINARY_PACKED", differences(128, 0))],
  ],
  [
    "fewer than no nulls",
    /a page of -536870912 nulls has 0/,
    [integers(3), secondPage(3, "DELTA_BINARY_PACKED", differences(2 ** 30, 1), -(2 ** 29))],
  ],
  [
    "a group of more rows than a list holds",
    /groups of 134217728 rows/,
    [integers(2 ** 27), seven, firstPage(2 ** 27, "RLE_DICTIONARY", [1, ...varint(2 ** 28), 0])],
  ],
  [
    "packed bytes that lead back to themselves",
    /10 bytes that don't unpack to 8/,
    [
      { type: "INT32", rows: 2, isSnappy: true },
      firstPage(2, "PLAIN", [8, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0, 0, 0, 0], 8),
    ],
  ],
  [
    "texts that grow with each",
    /a page of more than 268435456 bytes of text/,
    [{ type: "BYTE_ARRAY", rows: 30_000 }, firstPage(30_000, "DELTA_BYTE_ARRAY", texts(30_000, 1))],
  ],
  [
    "a text that takes more than there is before it",
    /a text of 2 bytes before it/,
    [{ type: "BYTE_ARRAY", rows: 3 }, firstPage(3, "DELTA_BYTE_ARRAY", texts(3, 2))],
  ],
  [
    "two columns of one name",
    /two columns are named a/,
    [{ type: "INT32", rows: 1, times: 2 }, firstPage(1, "PLAIN", [1, 0, 0, 0])],
  ],
])("%s", (_, message, file) => {
  expect(() => textsOf(...file)).toThrow(message);
  expect(() => textsOf(...file)).toThrow(DataError);
});

test("Snappy: literals and copies, of what is being written too", () => {
  const unpacked = (size: number, ...bytes: number[]) => [...unsnappy(Uint8Array.from([size, ...bytes]), size)];
  expect(unpacked(0)).toEqual([]);
  // Two bytes; four from two before; two from four before; three from one before.
  expect(unpacked(11, 4, 1, 2, 1, 2, 6, 4, 0, 11, 1, 0, 0, 0)).toEqual([1, 2, 1, 2, 1, 2, 1, 2, 2, 2, 2]);
  const long = Array.from({ length: 100 }, (_, i) => i);
  expect(unpacked(100, 240, 99, ...long)).toEqual(long);
  for (const wrong of [
    [4, 1],
    [1, 1],
    [4, 1, 2, 1, 3],
    [4, 1, 2, 1, 0],
    [252, 255, 255, 255, 255, 1],
    [4, 1, 2, 6],
  ])
    expect(() => unpacked(6, ...wrong)).toThrow(/don't unpack to 6/);
});
