// Datasets, readers and loaders.
export { type CsvOptions, csvArrays, csvDataset, type MissingNumbers } from "./columns.ts";
export { type CsvField, type CsvRow, type CsvTable, parseCsv } from "./csv.ts";
export { arrayDataset, type Dataset, type Field, type SplitPart } from "./dataset.ts";
export { type EpochDraws, epochDraws } from "./draws.ts";
export { type IdxArray, type IdxElements, parseIdx } from "./idx.ts";
export { type IdxOptions, idxDataset } from "./idx-dataset.ts";
export { type InputsOptions, inputsDataset } from "./inputs.ts";
export { type DataLoader, dataLoader, type LoadedBatch, type LoaderOptions } from "./loader.ts";
export { type MnistOptions, mnist, mnistDataset, type Split } from "./mnist.ts";
export { type MobyDickSource, mobyDick, mobyDickDataset } from "./moby-dick.ts";
export { randomSplit, type SplitOptions } from "./split.ts";
export { type TextDataset, type TextOptions, textDataset, textWindows, Vocabulary } from "./text.ts";
