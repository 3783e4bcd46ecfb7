// What `seedgrad schema` prints, in an editor's hands: the YAML language server, with the schema named in the file's first line.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { configJsonSchema } from "../../src/train/config/json-schema.ts";
import { temporaryFolder } from "../support/folder.ts";
import { yamlLanguageServer } from "../support/language_server.ts";
import { root } from "../support/sources.ts";

test("the language server finds what is wrong, and offers what may be written", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "schema.json"), JSON.stringify(configJsonSchema()));
  const modeline = `# yaml-language-server: $schema=${pathToFileURL(join(folder, "schema.json"))}\n`;
  const editor = await yamlLanguageServer();
  const open = async (name: string, text: string) => {
    const uri = pathToFileURL(join(folder, name)).href;
    const found = await editor.open(uri, modeline + text);
    return { uri, found };
  };
  const preset = readFileSync(join(root, "src/presets/mnist-mlp.yaml"), "utf8");
  expect((await open("preset.yaml", preset)).found).toEqual([]);

  // The modeline is line 0.
  const start = "trainer:\n  init:\n    model: {name: mlp, sizes: [4, 2]}\n";
  const wrong: readonly (readonly [string, number, RegExp])[] = [
    ["    sed: 1\n", 4, /sed is not allowed/],
    ["    optimizer: {AdamW: {learning_rate: fast}}\n", 39, /Expected "number"/],
    ["    loss: cross_entropi\n", 10, /cross_entropy/],
    ["    optimizer: {AdamZ: {learning_rate: 1}}\n", 16, /AdamZ is not allowed/],
  ];
  for (const [line, character, message] of wrong) {
    const { found } = await open(`wrong-${character}.yaml`, start + line);
    expect(found[0]?.message, line).toMatch(message);
    expect(found[0].range.start).toEqual({ line: 4, character });
  }

  const { uri } = await open("begun.yaml", `${start}    optimizer:\n      \n    loss: \n    \n`);
  expect(await editor.complete(uri, 5, 6)).toEqual(expect.arrayContaining(["SGD", "AdamW"]));
  expect(await editor.complete(uri, 6, 10)).toEqual(expect.arrayContaining(["cross_entropy", "mse"]));
});
