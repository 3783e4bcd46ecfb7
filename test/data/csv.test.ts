// CSV at its edges: RFC 4180's rules one by one, places of errors, numbers as text, missing values.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { csvArrays, csvDataset, parseCsv } from "../../src/data/index.ts";
import { cpuSeconds } from "../support/cpu.ts";
import { temporaryFolder } from "../support/folder.ts";

const texts = (text: string) => [...parseCsv("f", text).rows].map((row) => row.map((field) => field.text));

describe("RFC 4180", () => {
  test.each([
    ["h\na", [["a"]]],
    ["h\na\n", [["a"]]],
    ["h\r\na\r\n", [["a"]]],
    [
      "h,i\na,b\r\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["h,i\n,", [["", ""]]],
    ["h,i\n a , b ", [[" a ", " b "]]],
    ['h,i\n"a,b","c""d"', [["a,b", 'c"d']]],
    ['h,i\n"a\nb","c\r\nd"', [["a\nb", "c\r\nd"]]],
    ['h,i\n"",""""', [["", '"']]],
    ["h", []],
  ])("%j", (text, rows) => {
    expect(texts(text)).toEqual(rows);
  });

  test("whatever is written by the rules is read back", () => {
    const field = fc.string({ unit: fc.constantFrom("a", "é", '"', ",", "\n", "\r", " ", "\u{1f600}") });
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field, field)), fc.constantFrom("\n", "\r\n"), (rows, end) => {
        const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
        expect(texts(["x,y,z", ...rows.map((row) => row.map(quote).join(","))].join(end))).toEqual(rows);
      }),
      { numRuns: 300, seed: 4 },
    );
  });

  test("every field knows where it begins, after line ends inside quotes too", () => {
    const { rows } = parseCsv("f", 'h,i\r\n"a\nb",c\n,d\n');
    expect([...rows].map((row) => row.map(({ line, column }) => [line, column]))).toEqual([
      [
        [2, 1],
        [3, 4],
      ],
      [
        [4, 1],
        [4, 2],
      ],
    ]);
  });

  test.each([
    ["a,b,a\n1,2,3", /^f:1:5: a column is named twice: got a/],
    ["a,b\n1,2\n3\n", /^f:3:1: a row of another length than the header: got 1 fields, expected 2/],
    ['a,b\n1,"2\n', /^f:2:3: a quote is never closed/],
    ['a,b\n"1\n2"3,4', /^f:3:3: text after a closing quote/],
    ["a,b\n1\r2,3", /^f:2:2: a carriage return without a line feed/],
    ["\n\n", /^f: an empty file/],
    ['\ufeffa,b"', /^f:1:4: a quote in a field/],
  ])("refuses %j", (text, message) => {
    expect(() => parseCsv("f", text)).toThrow(DataError);
    expect(() => parseCsv("f", text)).toThrow(message);
  });
});

describe("the header", () => {
  test("its names have no blanks around them, as cells have none", () => {
    const table = parseCsv("f", " x ,\ty,kind \n1,2,a\n");
    expect(table.header).toEqual(["x", "y", "kind"]);
    const { inputs } = csvArrays("f", table, { target: " kind", classes: ["a"], inputs: ["y ", "x"] });
    expect(inputs.data).toEqual(Float32Array.of(2, 1));
  });

  test.each([
    ["0.1,1.2,b\n0.3,0.4,a\n", "b"],
    ["5.1,3.5,0\n4.9,3.0,1\n", "0"],
    ["-1,2\n3,4\n", "2"],
  ])("a file without one is refused, and its first row isn't lost: %j", (text, target) => {
    expect(() => csvArrays("f", parseCsv("f", text), { target })).toThrow(/no header line[\s\S]*names the columns/);
  });

  test("a file without one whose target isn't in its first row, or that repeats a number there", () => {
    expect(() => csvArrays("f", parseCsv("f", "0.1,2\n0.3,4\n"), { target: "y" })).toThrow(
      /no such column: got y, expected 0.1, 2\nHint: the first line is the header/,
    );
    expect(() => parseCsv("f", "1,1\n0.3,4\n")).toThrow(/named twice: got 1\nHint: the first line is the header/);
  });

  test("columns that are numbered from 0 are names like any other", () => {
    const { inputs } = csvArrays("f", parseCsv("f", "0,1,2\n5,6,7\n"), { target: "2" });
    expect(inputs.data).toEqual(Float32Array.of(5, 6));
  });

  test("a column without a name is no input by default", () => {
    const table = parseCsv("f", ",x,y\n0,5,6\n");
    expect(() => csvArrays("f", table, { target: "y" })).toThrow(/a column has no name: got column 1 of 3/);
    expect(csvArrays("f", table, { target: "y", inputs: ["x"] }).inputs.data).toEqual(Float32Array.of(5));
  });

  test("the target among the inputs, an input or class named twice, no inputs", () => {
    const table = parseCsv("f", "x,y\n1,2\n");
    expect(() => csvArrays("f", table, { target: "y", inputs: ["x", "y"] })).toThrow(/the target is among the inputs/);
    expect(() => csvArrays("f", table, { target: "y", inputs: ["x", "x"] })).toThrow(/one is named twice: got x/);
    expect(() => csvArrays("f", table, { target: "y", inputs: [] })).toThrow(/none are named/);
    expect(() => csvArrays("f", table, { target: "y", classes: ["2", "2"] })).toThrow(/classes: one is named twice/);
  });

  test("a file of a header alone holds nothing to learn from", () => {
    const path = `${temporaryFolder()}/empty.csv`;
    writeFileSync(path, "x,y\n");
    expect(() => csvDataset(path, { target: "y" })).toThrow(/dataset empty.csv: field inputs holds nothing/);
  });
});

test("a table takes little more memory than its text: 12 million numbers under a heap of four times the file", () => {
  const path = `${temporaryFolder()}/long.csv`;
  writeFileSync(path, `a,b,c,y\n${"1,2,3,0\n".repeat(3_000_000)}`);
  const program = `
    const { csvDataset } = await import(${JSON.stringify(new URL("../../src/data/index.ts", import.meta.url).href)});
    const { size, columns } = csvDataset(${JSON.stringify(path)}, { target: "y" });
    console.log(size, columns.join());`;
  const script = `${temporaryFolder()}/long.mts`;
  writeFileSync(script, program);
  const said = execFileSync(process.execPath, ["--max-old-space-size=96", "--import", "tsx", script], {
    encoding: "utf8",
  });
  expect(said.trim()).toBe("3000000 a,b,c");
});

describe("numbers", () => {
  const one = (text: string) => csvArrays("f", parseCsv("f", `x,y\n${text},0`), { target: "y" }).inputs.data[0];
  test.each([
    ["0.1", Math.fround(0.1)],
    ["-0", -0],
    [" +7 ", 7],
    [".5", 0.5],
    ["5.", 5],
    ["1e-45", 2 ** -149],
    ["1e-46", 0],
    ["16777217", 16777216],
    ["3.4028235e38", 3.4028234663852886e38],
  ])("%s", (text, value) => {
    expect(Object.is(one(text), value)).toBe(true);
  });

  test.each(["", "NaN", "Infinity", "0x10", "1_000", "1e", "e5", ".", "1 2", "--1", "1n"])("%j is none", (text) => {
    expect(() => one(text)).toThrow(/^f:2:1: column x doesn't hold a number/);
  });

  test("one beyond float32 is an error, not an infinity", () => {
    expect(() => one("3.5e38")).toThrow(/^f:2:1: a number too large for float32: got "3.5e38"/);
  });
});

describe("columns", () => {
  const table = parseCsv("f", "a,b,c,y\n1,x,3,4\n5,NA,,8\n9,z,11,12\n");
  test("regression targets are [rows, 1], so that they don't broadcast against outputs [rows, 1]", () => {
    const { inputs, targets } = csvArrays("f", parseCsv("f", "x,y\n1,2\n3,4"), { target: "y" });
    expect([inputs.shape, targets.shape, targets.dtype]).toEqual([[2, 1], [2, 1], "float32"]);
    expect(targets.data).toEqual(Float32Array.of(2, 4));
  });

  test("inputs in the order asked for; columns not asked for aren't read", () => {
    const { inputs } = csvArrays("f", parseCsv("f", "a,name,b,y\n1,Ann,2,0\n3,Bob,4,0"), {
      target: "y",
      inputs: ["b", "a"],
    });
    expect(inputs).toEqual({ data: Float32Array.of(2, 1, 4, 3), shape: [2, 2], dtype: "float32" });
  });

  test("drop leaves out rows that miss a column in use, and no others", () => {
    const missing = { texts: ["NA", ""], value: "drop" } as const;
    const { inputs, targets } = csvArrays("f", table, { target: "y", inputs: ["a", "c"], missing });
    expect(inputs).toEqual({ data: Float32Array.of(1, 3, 9, 11), shape: [2, 2], dtype: "float32" });
    expect(targets.data).toEqual(Float32Array.of(4, 12));
    expect(csvArrays("f", table, { target: "y", inputs: ["a"], missing }).inputs.shape).toEqual([3, 1]);
  });

  test("a number in a missing one's place is rounded to float32", () => {
    const missing = { texts: [""], value: 0.1 };
    const { inputs } = csvArrays("f", table, { target: "y", inputs: ["c"], missing });
    expect(inputs.data).toEqual(Float32Array.of(3, 0.1, 11));
  });

  test("sample weights: numbers ≥ 0 of a column that is no input; one that is missing has no number in its place", () => {
    const table = parseCsv("f", "x,w,y\n1,0.5,2\n3,0,4\n5,?,6\n");
    const options = { target: "y", sampleWeights: " w " };
    const { inputs, sampleWeights } = csvArrays("f", table, { ...options, missing: { texts: ["?"], value: "drop" } });
    expect([inputs.shape, [...inputs.data]]).toEqual([
      [2, 1],
      [1, 3],
    ]);
    expect(sampleWeights).toEqual({ data: Float32Array.of(0.5, 0), shape: [2], dtype: "float32" });
    const refused = (text: string, changes: object, message: RegExp) => {
      const reading = () => csvArrays("f", parseCsv("f", text), { ...options, ...changes });
      expect(reading).toThrow(DataError);
      expect(reading).toThrow(message);
    };
    refused("x,w,y\n1,-0.5,2\n", {}, /^f:2:3: a sample weight below 0 in w: got "-0.5", expected a number ≥ 0/);
    refused("x,w,y\n1,much,2\n", {}, /^f:2:3: column w doesn't hold a number: got "much"\nHint: say how/);
    refused("x,w,y\n1,?,2\n", { missing: { texts: ["?"], value: 1 } }, /^f:2:3: the sample weight w is missing/);
    refused("x,w,y\n1,1,2\n", { sampleWeights: "v" }, /^f: no such column: got v, expected x, w, y/);
    refused("x,w,y\n1,1,2\n", { sampleWeights: "y" }, /^f: the sample weights are the target: got y/);
  });

  test("a missing target is never a number: an error that names its row, or the row is dropped", () => {
    const gaps = parseCsv("f", "x,y\n1,2\n3,\n5,6\n");
    const missing = (value: number | "drop") => ({ texts: [""], value });
    expect(() => csvArrays("f", gaps, { target: "y", missing: missing(0) })).toThrow(/^f:3:3: the target y is missing/);
    expect(() => csvArrays("f", gaps, { target: "y", classes: ["2", "6"], missing: missing(0) })).toThrow(
      /^f:3:3: the target/,
    );
    expect(csvArrays("f", gaps, { target: "y", missing: missing("drop") }).targets.data).toEqual(Float32Array.of(2, 6));
    // A class of that name isn't missing.
    const named = { target: "y", classes: ["", "2", "6"], missing: missing("drop") };
    expect(csvArrays("f", gaps, named).targets.data).toEqual(Int32Array.of(1, 0, 2));
  });

  test.each([[{ texts: [""], value: Number.NaN }], [{ texts: [""], value: "zero" }], [{ texts: "NA", value: 0 }]])(
    "missing: %j",
    (missing) => {
      expect(() => csvArrays("f", table, { target: "y", inputs: ["a"], missing: missing as never })).toThrow(
        /^(f: missing|data\.csvArrays\.missing)/,
      );
    },
  );

  test("a text that isn't missing is said with its place", () => {
    expect(() => csvArrays("f", table, { target: "y" })).toThrow(/^f:2:3: column b doesn't hold a number: got "x"/);
    expect(() => csvArrays("f", table, { target: "y", inputs: ["c"] })).toThrow(/^f:3:6: column c doesn't/);
    expect(() => csvArrays("f", table, { target: "b", classes: ["x", "z"], inputs: ["a"] })).toThrow(
      /^f:3:3: not one of the classes: got "NA", expected x, z/,
    );
  });
});

test("a wide table, and one whose rows are walked, take time with their size alone", () => {
  const columns = Array.from({ length: 12_000 }, (_, i) => `gene ${i}`);
  const wide = parseCsv("w", `${columns.join(",")}\n${columns.map((_, i) => i % 9).join(",")}\n`);
  const long = parseCsv("l", `a,b\n${"1,2\n".repeat(12_000)}`);
  const seconds = cpuSeconds(() => {
    expect(csvArrays("w", wide, { target: columns[0], standardize: columns.slice(1) }).inputs.shape).toEqual([
      1, 11_999,
    ]);
    expect([...long.rows].at(-1)![1]).toEqual({ text: "2", line: 12_001, column: 3 });
  });
  // Four, and with the square of either, where each column was sought among all others and each place counted from the beginning.
  expect(seconds).toBeLessThan(2);
});

test("a file's digests know its name and not its folder", () => {
  const digests = ["one", "two"].map((name) => {
    const path = `${temporaryFolder()}/data.csv`;
    writeFileSync(path, `x,y\n1,${name.length}\n`);
    return csvDataset(path, { target: "y" }).digests;
  });
  expect(digests[0]).toEqual(digests[1]);
  expect(Object.keys(digests[0])).toEqual(["data.csv/inputs", "data.csv/targets"]);
});

test("text that isn't UTF-8 is refused by name", () => {
  const path = `${temporaryFolder()}/latin.csv`;
  writeFileSync(path, Uint8Array.of(0x78, 0x2c, 0xe9, 0x0a));
  expect(() => csvDataset(path, { target: "x" })).toThrow(`${path}: the file is not UTF-8 text`);
});
