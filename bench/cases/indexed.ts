// Rows read by number and added to by number: an embedding's two passes, at a character model's size and at a vocabulary's.
import type { Case } from "../harness.ts";
import { kernelCase } from "./kernels.ts";

const rowsBy = (
  kind: "gather" | "scatter",
  name: string,
  rows: number,
  columns: number,
  count: number,
  small = false,
): Case =>
  kernelCase(
    `${kind}-${name}`,
    { kind, rows, columns, count },
    {
      about: `${count} rows of ${columns} ${kind === "gather" ? "read from" : "added to"} ${rows}`,
      microseconds: (count * columns) / 2000,
      small,
    },
  );

export const cases: readonly Case[] = [
  rowsBy("gather", "characters", 65, 128, 1024, true),
  rowsBy("scatter", "characters", 65, 128, 1024, true),
  rowsBy("gather", "words", 30_000, 256, 4096),
  rowsBy("scatter", "words", 30_000, 256, 4096),
];
