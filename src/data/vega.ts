// Two tables of the npm package vega-datasets: penguins of three species (Gorman, Williams and Fraser 2014), 344 rows, and cars of the years 1970 to 1982
// (Quinlan 1993), 406 rows. Each is a JSON list of records with the same keys, refused unless its bytes are the published ones.

import { folderPath, type Given, options as optionsOf, word } from "../core/options.ts";
import { factory } from "../core/things.ts";
import { csvFields, tableDataset } from "./columns.ts";
import { columnTable } from "./csv.ts";
import type { Dataset } from "./dataset.ts";
import { dataFolder, npmData, readPublished } from "./package.ts";

const source = npmData("vega-datasets", "3.2.1");
const published = {
  penguins: "0facf769609f1205b82cbceb8238c36af3e6147a0ca0e163902cc6281ce3e917",
  cars: "f686a53678b21f4231e2f6a5ba7ce5761d9d39204fccdea1caa29fb8c460e319",
} as const;

const record = optionsOf("vega", "data.vegaDataset", {
  /** Which table. */
  table: word("penguins", "cars"),
  ...csvFields,
  /** The folder of the tables' JSON files, instead of the npm package's. */
  directory: folderPath.optional(),
});
export type VegaOptions = Given<typeof record>;

/** A table of vega-datasets, read as `csvDataset` reads a CSV file with the same rows; a missing value is the text `""`. Throws DataError when the file is missing or has other bytes, and for what `csvDataset` does. */
export const vegaDataset = factory(record, ({ table, directory, ...options }): Dataset => {
  const path = `${dataFolder("data.vegaDataset", source, `${table}.json`, directory)}/${table}.json`;
  const text = new TextDecoder().decode(readPublished(path, source, published[table]));
  const records = JSON.parse(text) as readonly Readonly<Record<string, string | number | null>>[];
  const header = Object.keys(records[0]);
  const columns = header.map((name) => records.map(({ [name]: value }) => String(value ?? "")));
  return tableDataset(path, columnTable(header, columns), options);
});
