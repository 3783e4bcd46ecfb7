// A run's folder when something in it is wrong: the error names it, and what was there is still there.
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/core/errors.ts";
import type { TrainerOptions } from "../../src/train/config/options.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

const options = (modelDir: string, changes: Partial<TrainerOptions> = {}): Partial<TrainerOptions> => ({
  modelDir,
  checkpoint: { steps: 2 },
  loop: { numSteps: 6 },
  ...changes,
});
const run = (modelDir: string, changes?: Partial<TrainerOptions>, ckptPath?: string | null) =>
  toyTrainer(options(modelDir, changes)).fit(toyTrain(), undefined, { ckptPath });

/** All files of a folder with their bytes, but for the manifest. */
function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true }) as string[];
  const content = files
    .filter((file) => statSync(`${folder}/${file}`).isFile() && file !== "manifest.json")
    .map((file): [string, string] => [file, readFileSync(`${folder}/${file}`, "hex")]);
  return Object.fromEntries(content.sort());
}

function damage(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] ^= 1;
  writeFileSync(path, bytes);
}

describe("nothing is lost", () => {
  const cases: [string, (folder: string) => void, RegExp][] = [
    ["a damaged link", (folder) => damage(`${folder}/chain.bin`, 350), /chain.bin: the record of step 2/],
    ["a chain cut short", (folder) => writeFileSync(`${folder}/chain.bin`, ""), /chain.bin: not a chain file/],
    ["a chain of another run", (folder) => cpSync(`${folder}-other/chain.bin`, `${folder}/chain.bin`), /at step 4/],
    ["a damaged checkpoint", (folder) => damage(`${folder}/checkpoints/checkpoint_4.safetensors`, 900), /checkpoint_4/],
    ["a damaged index", (folder) => damage(`${folder}/checkpoints/index.json`, 3), /index.json/],
    ["a damaged manifest", (folder) => damage(`${folder}/manifest.json`, 0), /manifest.json/],
  ];
  test.each(cases)("%s, going back to an earlier checkpoint: named, all files stay", async (_, harm, message) => {
    const folder = `${temporaryFolder()}/run`;
    await run(folder);
    await run(`${folder}-other`, { seed: 8 });
    harm(folder);
    const before = contentOf(folder);
    const again = run(folder, {}, `${folder}/checkpoints/checkpoint_4.safetensors`);
    await expect(again).rejects.toThrow(CheckpointError);
    await expect(again).rejects.toThrow(message);
    expect(contentOf(folder)).toEqual(before);
  });

  test("going back to an earlier checkpoint of a sound folder, and on from there: the same digest", async () => {
    const folder = `${temporaryFolder()}/run`;
    const { digest } = await run(folder);
    const chain = readFileSync(`${folder}/chain.bin`);
    const again = await run(folder, {}, `${folder}/checkpoints/checkpoint_2.safetensors`);
    expect(again.digest).toBe(digest);
    expect(readFileSync(`${folder}/chain.bin`)).toEqual(chain);
  });

  test("a checkpoint of another folder brings its chain along, or is refused where that has none", async () => {
    const folder = temporaryFolder();
    const { digest } = await run(`${folder}/a`);
    const checkpoint = `${folder}/a/checkpoints/checkpoint_4.safetensors`;
    expect((await run(`${folder}/b`, {}, checkpoint)).digest).toBe(digest);
    expect(readFileSync(`${folder}/b/chain.bin`)).toEqual(readFileSync(`${folder}/a/chain.bin`));
    cpSync(checkpoint, `${folder}/alone/checkpoints/c.safetensors`);
    await expect(run(`${folder}/c`, {}, `${folder}/alone/checkpoints/c.safetensors`)).rejects.toThrow(
      /chain.bin: the chain ends before the checkpoint/,
    );
    expect(existsSync(`${folder}/c/manifest.json`)).toBe(false);
  });
});
