// What is held to a run's folder: a folder may come from a stranger, and a symbolic link in it would lead reading, writing and removing elsewhere.
import { isLink, makeDirectory } from "#files";
import { CheckpointError } from "../core/errors.ts";

/** Throws CheckpointError for a symbolic link. */
export function refuseLink(path: string): void {
  if (!isLink(path)) return;
  throw new CheckpointError({
    where: path,
    problem: "it is a symbolic link, and may lead out of the run's folder",
    expected: "a file or folder of the run's own",
    hint: "the run's folder as a whole may be a link",
  });
}

/** Makes a folder in a run's. Throws CheckpointError where it is a symbolic link, or can't be made. */
export function makeInside(path: string): void {
  refuseLink(path);
  makeDirectory(path);
}
