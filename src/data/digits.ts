// Handwritten digits of 8 × 8 pixels: the test set of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998, UCI Machine Learning Repository,
// doi:10.24432/C50P49, CC BY 4.0), as scikit-learn has it in digits.csv.gz, unchanged.
import { folderPath, type Given, options as optionsOf } from "../core/options.ts";
import { factory } from "../core/things.ts";
import { arrayDataset, type Dataset } from "./dataset.ts";
import { dataFolder, ownData, readPublished } from "./package.ts";

const sha256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8";

const record = optionsOf("digits", "data.digitsDataset", {
  /** The folder of digits.csv, which may be gzipped, instead of this package's. */
  directory: folderPath.optional(),
});
export type DigitsOptions = Given<typeof record>;

/** 1,797 handwritten digits: `inputs` [64] float32, 8 × 8 pixels in [0, 1], multiples of 1/16, and `targets` [] int32 in [0, 10). Throws DataError when the file is missing or has other bytes. */
export const digitsDataset = factory(record, ({ directory }): Dataset => {
  const path = `${dataFolder("data.digitsDataset", ownData, "digits.csv", directory)}/digits.csv`;
  const text = new TextDecoder().decode(readPublished(path, ownData, sha256));
  const rows = text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(",").map(Number));
  return arrayDataset("digits", {
    inputs: {
      data: Float32Array.from(
        rows.flatMap((row) => row.slice(0, 64)),
        (pixel) => pixel / 16,
      ),
      shape: [rows.length, 64],
      dtype: "float32",
    },
    targets: { data: Int32Array.from(rows, (row) => row[64]), shape: [rows.length], dtype: "int32" },
  });
});
