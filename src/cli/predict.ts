// `seedgrad predict CONFIG --input FILE`: what a trained model says of inputs in a file. Its outputs come as CSV, JSON lines or safetensors.
import { type HostArray, joined } from "../core/array.ts";
import { CheckpointError, ConfigError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { inputsDataset } from "../data/inputs.ts";
import { dataLoader } from "../data/loader.ts";
import { writeSafetensors } from "../io/safetensors.ts";
import { latestCheckpoint } from "../run/checkpoint.ts";
import { buildTrainer } from "../train/config/build.ts";
import { trainedTable } from "../train/config/loaders.ts";
import { messages, type Outcome, requirePath, writeOutput } from "./command.ts";
import { checkpointChoice, type RunFlags } from "./flags.ts";
import { readConfig } from "./imports.ts";

export interface PredictFlags extends RunFlags {
  readonly input: string;
  readonly output?: string;
  readonly batchSize?: number;
}

const formats = { csv: toCsv, jsonl: toJsonLines } as const;

/** Predicts with the weights of the latest checkpoint, or of one that is named. Without `--output` the lines go to stdout as JSON. */
export async function predict(file: string, flags: PredictFlags): Promise<Outcome> {
  const { input, output, batchSize = 64, json } = flags;
  const kind = output === undefined ? "jsonl" : output.slice(output.lastIndexOf(".") + 1);
  if (kind !== "safetensors" && !Object.hasOwn(formats, kind)) {
    throw new ConfigError({
      where: "--output",
      problem: "not a kind of file that outputs go to",
      got: output!,
      expected: "a name that ends with .csv, .jsonl or .safetensors",
    });
  }
  requirePath("--input", input);
  const config = await readConfig(file, flags);
  const { trainer } = buildTrainer({ trainer: { init: config.trainer.init } }, { loggers: [messages] });
  const { modelDir } = config.trainer.init;
  if (flags.ckpt === undefined && latestCheckpoint(`${modelDir}/checkpoints`) === undefined) {
    throw new CheckpointError({
      where: modelDir!,
      problem: "there is no checkpoint to predict with",
      hint: "fit the config first, or give --ckpt PATH; --ckpt none predicts with weights as they are drawn",
    });
  }
  const dataset = inputsDataset(input, trainedTable(config.trainer.fit?.trainDataloader));
  const loader = dataLoader(dataset, { batchSize: Math.min(batchSize, Math.max(1, dataset.size)) });
  const parts: HostArray[] = [];
  const choice = { ...checkpointChoice(flags), weights: flags.weights };
  for await (const { outputs } of trainer.predict(loader, choice)) parts.push(outputs);
  const outputs = joined(parts);
  if (kind === "safetensors")
    writeSafetensors(output!, [["outputs", outputs]], {
      checkpoint_step: String(trainer.step),
      weights: trainer.weightsUsed,
    });
  const lines = kind === "safetensors" ? [] : formats[kind as keyof typeof formats](outputs);
  if (output !== undefined && kind !== "safetensors")
    writeOutput("--output", output, lines.map((line) => `${line}\n`).join(""));
  const { shape } = outputs;
  const { weightsUsed: weights } = trainer;
  const average = weights === "average" ? ", average of weights" : "";
  const summary = `${shape[0]} predictions after ${trainer.step} steps${average}: ${output}`;
  // With --json the outputs are in the record.
  const printed = json ? [] : lines;
  return {
    code: 0,
    json: {
      steps: trainer.step,
      shape,
      weights,
      ...(output === undefined ? { outputs: rowsOf(outputs) } : { output }),
    },
    lines: output === undefined ? printed : [summary],
  };
}

/** Each sample's outputs, flat; JSON has no NaN and no infinities, so those are text. */
function rowsOf({ data, shape }: HostArray): (number | string)[][] {
  const width = sizeOf(shape.slice(1));
  const show = (value: number) => (Number.isFinite(value) ? value : String(value));
  return Array.from({ length: shape[0] }, (_, row) => Array.from(data.subarray(row * width, (row + 1) * width), show));
}

function toCsv(outputs: HostArray): string[] {
  const width = sizeOf(outputs.shape.slice(1));
  const header = ["index", ...Array.from({ length: width }, (_, i) => `output_${i}`)];
  return [header.join(","), ...rowsOf(outputs).map((row, i) => [i, ...row].join(","))];
}

function toJsonLines(outputs: HostArray): string[] {
  return rowsOf(outputs).map((row, index) => JSON.stringify({ index, outputs: row }));
}
