// What files on a disk and files in memory share: the class their failures are thrown as, and what a file may be cut to.
import type { ErrorDetails, SeedgradError } from "../core/errors.ts";

/** The class a failure is thrown as: DataError for reading unless said otherwise, CheckpointError for writing. */
export type FileErrorClass = new (details: ErrorDetails) => SeedgradError;

/** Throws the error class given, unless `length` is an integer in [0, `before`], the file's length. */
export function checkCut(path: string, length: number, before: number, kind: FileErrorClass): void {
  if (Number.isSafeInteger(length) && length >= 0 && length <= before) return;
  throw new kind({
    where: path,
    problem: "the file can't be cut to that length",
    got: String(length),
    expected: `an integer in [0, ${before}], the file's length`,
  });
}
