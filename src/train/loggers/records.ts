// What the file loggers share: a file of records that is added to, and cut back to a step when a run goes on from a checkpoint.
import { append, exists, makeDirectory, read, size, writeAtomic } from "#files";

const encoder = new TextEncoder();

/** Adds text at a file's end, making its folder and, with `header`, its first line if it is new or empty. */
export function appendText(path: string, text: string, header = ""): void {
  const there = exists(path);
  if (!there) makeDirectory(path.slice(0, path.lastIndexOf("/")));
  append(path, encoder.encode(there && size(path) > 0 ? text : header + text));
}

/** Keeps the whole lines for which `keep` holds; a last line that was cut off goes too. */
export function cutLines(path: string, keep: (line: string, index: number) => boolean): void {
  if (!exists(path)) return;
  const text = new TextDecoder().decode(read(path));
  const lines = text.split("\n").slice(0, -1).filter(keep);
  const kept = lines.map((line) => `${line}\n`).join("");
  if (kept !== text) writeAtomic(path, encoder.encode(kept));
}
