// Datasets, readers and loaders.
export { type AsyncSource, asyncDataset } from "./async.ts";
export { type CsvOptions, csvArrays, csvDataset } from "./columns.ts";
export { type CsvField, type CsvRow, type CsvTable, parseCsv } from "./csv.ts";
export {
  arrayDataset,
  type Dataset,
  type Field,
  type SplitPart,
  type Table,
  type TableColumn,
  type TableState,
} from "./dataset.ts";
export { type DigitsOptions, digitsDataset } from "./digits.ts";
export { type EpochDraws, epochDraws } from "./draws.ts";
export { type FashionMnistOptions, fashionMnist, fashionMnistDataset } from "./fashion-mnist.ts";
export { type HeatEquationOptions, heatEquation } from "./heat-equation.ts";
export { type IdxArray, type IdxElements, parseIdx } from "./idx.ts";
export { type IdxOptions, idxDataset } from "./idx-dataset.ts";
export { type ImageFolderOptions, imageFolder } from "./images.ts";
export { type InputsOptions, inputsDataset } from "./inputs.ts";
export { type JsonlOptions, jsonlDataset } from "./jsonl.ts";
export { type DataLoader, dataLoader, type LoadedBatch, type LoaderOptions, type LoaderTable } from "./loader.ts";
export { type MnistOptions, mnist, mnistDataset } from "./mnist.ts";
export type { ImagesDataset, Split } from "./mnist-images.ts";
export { type MobyDickSource, mobyDick, mobyDickDataset } from "./moby-dick.ts";
export { type NpyOptions, type NpzOptions, npyArray, npyDataset, npzArrays, npzDataset } from "./numpy.ts";
export { type ParquetOptions, parquetDataset } from "./parquet.ts";
export type { MissingNumbers } from "./rows.ts";
export { randomSplit, type SplitOptions } from "./split.ts";
export { subset } from "./subset.ts";
export { type TextDataset, type TextOptions, textDataset, textWindows, Vocabulary } from "./text.ts";
export { BytePairTokenizer, loadTokenizer, type Merge, type TokenizerOptions, trainTokenizer } from "./tokenizer.ts";
export * from "./transforms/index.ts";
export type { RandomTransform } from "./transforms/transform.ts";
export { type VegaOptions, vegaDataset } from "./vega.ts";
