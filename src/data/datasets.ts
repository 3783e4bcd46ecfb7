// The datasets that a config may name, each as a loader's.
export { csvDataset } from "./columns.ts";
export { digitsDataset } from "./digits.ts";
export { fashionMnistDataset } from "./fashion-mnist.ts";
export { heatEquation } from "./heat-equation.ts";
export { idxDataset } from "./idx-dataset.ts";
export { imageFolder } from "./images.ts";
export { jsonlDataset } from "./jsonl.ts";
export { mnistDataset } from "./mnist.ts";
export { mobyDickDataset } from "./moby-dick.ts";
export { npyDataset, npzDataset } from "./numpy.ts";
export { parquetDataset } from "./parquet.ts";
export { textDataset } from "./text.ts";
export { vegaDataset } from "./vega.ts";
