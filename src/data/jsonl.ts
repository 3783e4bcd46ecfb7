// Text in JSON lines, one document a line, as language models' data come: windows over the documents, one after another.
import { readText } from "#files";
import { DataError } from "../core/errors.ts";
import { anyText, filePath, type Given, options as optionsOf, text } from "../core/options.ts";
import { factory } from "../core/things.ts";
import { parseFileJson } from "../io/json.ts";
import { type TextDataset, textFields, textWindows } from "./text.ts";

const record = optionsOf("jsonl", "data.jsonlDataset", {
  /** The path of the file: UTF-8, a JSON object on each line. */
  file: filePath,
  /** The key whose text is the document. */
  key: text.default("text"),
  /** What stands between two documents; a line feed unless given. */
  separator: anyText.optional(),
  ...textFields,
});
export type JsonlOptions = Given<typeof record>;

/** Windows over a file's documents, as `textWindows` makes them. Throws DataError, with the line, for one that is no object with a text under the key. */
export const jsonlDataset = factory(record, ({ file, key, separator = "\n", ...options }): TextDataset => {
  const name = file.split(/[\\/]/).at(-1)!;
  return textWindows(name, documentsOf(file, key).join(separator), options);
});

/** The documents of a file in JSON lines. */
function documentsOf(file: string, key: string): string[] {
  return readText(file)
    .split("\n")
    .flatMap((line, i) => {
      if (line.trim() === "") return [];
      const fail = (problem: string, got?: string, cause?: unknown): never => {
        throw new DataError({ where: `${file}:${i + 1}`, problem, got, expected: `{"${key}": "…"}`, cause });
      };
      let value: unknown;
      try {
        value = parseFileJson(line);
      } catch (cause) {
        return fail("not JSON", (cause as Error).message, cause);
      }
      if (typeof value !== "object" || value === null || Array.isArray(value))
        return fail("not a JSON object", line.slice(0, 60));
      const { [key]: document } = value as Record<string, unknown>;
      return typeof document === "string"
        ? [document]
        : fail(
            `no text under the key ${key}`,
            document === undefined ? Object.keys(value).join(", ") : typeof document,
          );
    });
}
