// Datasets, readers and loaders.
export { type CsvField, type CsvOptions, type CsvTable, csvArrays, csvDataset, parseCsv } from "./csv.ts";
export { arrayDataset, type Dataset, type Field } from "./dataset.ts";
export { type EpochDraws, epochDraws } from "./draws.ts";
export { type IdxArray, parseIdx } from "./idx.ts";
export { type InputsOptions, inputsDataset } from "./inputs.ts";
export { type DataLoader, dataLoader, type LoadedBatch, type LoaderOptions } from "./loader.ts";
export { type MnistOptions, mnist, mnistDataset, type Split } from "./mnist.ts";
export { type MobyDickSource, mobyDick, mobyDickDataset } from "./moby-dick.ts";
export { type TextDataset, type TextOptions, textDataset, textWindows, Vocabulary } from "./text.ts";
