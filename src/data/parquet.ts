// Parquet tables by hyparquet, an optional peer that is loaded when a file is asked for: columns of plain values, read as the rows of a CSV table are, so that a column of either kind of file means the same.
import { packageModule, read } from "#files";
import { DataError } from "../core/errors.ts";
import { filePath, type Given, options as optionsOf } from "../core/options.ts";
import { factory } from "../core/things.ts";
import { csvFields, tableDataset } from "./columns.ts";
import { type CsvTable, columnTable } from "./csv.ts";
import type { Dataset } from "./dataset.ts";
import { checkPages, type PageTools } from "./pages.ts";
import { unsnappy } from "./snappy.ts";

/** What is used of hyparquet 1.33. */
interface Hyparquet {
  parquetMetadata(
    bytes: Uint8Array,
    options: { readonly geoparquet: false },
  ): { readonly num_rows: bigint; readonly row_groups: readonly RowGroup[] };
  parquetSchema(metadata: object): { readonly children: readonly SchemaTree[] };
}
interface SchemaTree {
  readonly element: { readonly name: string; readonly repetition_type?: string };
  readonly children: readonly SchemaTree[];
}
interface RowGroup {
  readonly num_rows: bigint;
  readonly columns: readonly { readonly meta_data?: ColumnChunk }[];
}
interface ColumnChunk {
  readonly codec: string;
  readonly type: string;
  readonly path_in_schema: readonly string[];
  readonly dictionary_page_offset?: bigint;
  readonly data_page_offset: bigint;
  readonly total_compressed_size: bigint;
}
interface ColumnTools extends Pick<PageTools, "parquetHeader"> {
  readColumn(reader: object, rows: object, decoder: object): { readonly data: readonly ArrayLike<unknown>[] };
}

/** Rows of more than a list of texts has room for. */
const mostRows = 2 ** 26;

const record = optionsOf("parquet", "data.parquetDataset", {
  /** The table's path. */
  file: filePath,
  ...csvFields,
});
export type ParquetOptions = Given<typeof record>;

/** A dataset of a Parquet file, as `csvDataset` makes it of a CSV file with the same rows; a missing value is the text `""`, a truth value 0 or 1. Throws DataError, where hyparquet isn't installed too. */
export const parquetDataset = factory(
  record,
  ({ file, ...options }): Dataset => tableDataset(file, parquetTable(file), options),
);

function load<T>(path: string, name: string): T {
  const found = packageModule(name);
  if (found) return found as T;
  throw new DataError({
    where: path,
    problem: "the npm package hyparquet, which reads Parquet files, isn't installed here",
    hint: "npm install hyparquet@1.33",
  });
}

/** A file's columns as a table of texts. Throws DataError for a damaged file, and for columns of lists and records. */
export function parquetTable(path: string): CsvTable {
  const { parquetMetadata, parquetSchema } = load<Hyparquet>(path, "hyparquet");
  const { readColumn, parquetHeader } = load<ColumnTools>(path, "hyparquet/src/column.js");
  const { deltaBinaryUnpack } = load<Pick<PageTools, "deltaBinaryUnpack">>(path, "hyparquet/src/delta.js");
  const { DEFAULT_PARSERS: parsers } = load<{ readonly DEFAULT_PARSERS: object }>(path, "hyparquet/src/convert.js");
  const bytes = read(path);
  try {
    // Places on a map aren't read, and looking for their columns never ends in a damaged schema.
    const metadata = parquetMetadata(bytes, { geoparquet: false });
    const root = parquetSchema(metadata);
    const trees = root.children.filter(
      ({ children, element }) => children.length === 0 && element.repetition_type !== "REPEATED",
    );
    const groups = metadata.row_groups.map((group) => ({ ...group, rows: Number(group.num_rows) }));
    const size = groups.reduce((sum, { rows }) => sum + rows, 0);
    if (!(groups.every(({ rows }) => rows >= 0) && size <= mostRows)) throw new Error(`groups of ${size} rows`);
    const columns = trees.map((tree) => {
      const { element } = tree;
      const values: string[] = [];
      for (const { rows, columns: chunks } of groups) {
        const [chunk, other] = chunks.flatMap(({ meta_data: meta }) =>
          meta?.path_in_schema.join() === element.name ? [meta] : [],
        );
        if (other) throw new Error(`two columns are named ${element.name}`);
        const begin = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
        const view = new DataView(bytes.buffer, bytes.byteOffset + begin, Number(chunk.total_compressed_size));
        const isOptional = element.repetition_type !== "REQUIRED";
        const pages = { view, rows, codec: chunk.codec, isBoolean: chunk.type === "BOOLEAN", isOptional };
        checkPages(pages, { parquetHeader, deltaBinaryUnpack });
        const decoder = {
          ...chunk,
          pathInSchema: chunk.path_in_schema,
          element,
          schemaPath: [root, tree],
          parsers,
          compressors: { SNAPPY: unsnappy },
          utf8: true,
        };
        const selection = { groupStart: 0, selectStart: 0, selectEnd: rows, groupRows: rows };
        const before = values.length;
        for (const part of readColumn({ view, offset: 0 }, selection, decoder).data)
          for (let i = 0; i < part.length; i++) values.push(textOf(part[i]));
        if (values.length - before !== rows)
          throw new Error(`column ${element.name} has ${values.length - before} values in a group of ${rows} rows`);
      }
      return values;
    });
    return columnTable(
      trees.map(({ element }) => element.name),
      columns,
    );
  } catch (cause) {
    throw new DataError({
      where: path,
      problem: "it can't be read as a Parquet table",
      got: (cause as Error).message,
      cause,
    });
  }
}

function textOf(value: unknown): string {
  if (value === null) return "";
  if (value === undefined) throw new Error("a number that a dictionary hasn't");
  if (typeof value === "boolean") return value ? "1" : "0";
  if (Object.is(value, -0)) return "-0";
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "object" && !(value instanceof Uint8Array)) throw new Error("a column of records");
  return String(value);
}
