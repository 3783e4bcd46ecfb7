// A run's folder when something in it is wrong: the error names it, and what was there is still there.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/core/errors.ts";
import { listCheckpoints } from "../../src/run/checkpoint.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
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

describe("what is taken out of a folder is missed", () => {
  const at = (step: number, act: () => void) => ({
    name: "Act",
    changesTraining: false,
    onTrainStepEnd: (context: { step: number }) => {
      if (context.step === step) act();
    },
  });

  test.each([
    ["removed", (path: string) => rmSync(path)],
    ["made anew by somebody else", (path: string) => writeFileSync(path, "SGCHAIN")],
    ["lengthened", (path: string) => writeFileSync(path, new Uint8Array(56), { flag: "a" })],
  ])("chain.bin %s during the run: the run ends with its name, not with a digest", async (_, act) => {
    const folder = `${temporaryFolder()}/run`;
    const broken = run(folder, { callbacks: [at(3, () => act(`${folder}/chain.bin`))] });
    await expect(broken).rejects.toThrow(CheckpointError);
    await expect(broken).rejects.toThrow(/chain\.bin/);
    expect(JSON.parse(readFileSync(`${folder}/manifest.json`, "utf8")).status).not.toBe("finished");
  });

  test("index.json gone: refused, with all files as they were; a named checkpoint goes on to the same digest, and none begins anew", async () => {
    const folder = `${temporaryFolder()}/run`;
    const { digest } = await run(folder);
    rmSync(`${folder}/checkpoints/index.json`);
    const before = contentOf(folder);
    await expect(run(folder)).rejects.toThrow(
      /index\.json: the index of checkpoints is gone.*checkpoint_2\.safetensors/s,
    );
    expect(contentOf(folder)).toEqual(before);
    expect((await run(folder, {}, `${folder}/checkpoints/checkpoint_4.safetensors`)).digest).toBe(digest);
    expect(listCheckpoints(`${folder}/checkpoints`).map(({ step }) => step)).toEqual([2, 4, 6]);
    rmSync(`${folder}/checkpoints/index.json`);
    expect((await run(folder, {}, null)).digest).toBe(digest);
    expect(listCheckpoints(`${folder}/checkpoints`).map(({ step }) => step)).toEqual([2, 4, 6]);
  });
});

test("the manifest keeps the graphs that ran before the run was resumed", async () => {
  const folder = `${temporaryFolder()}/run`;
  // Five steps an epoch, the last one short: only the first part comes to it.
  const loader = () => toyTrain({ dropLast: false });
  const graphs = () => JSON.parse(readFileSync(`${folder}/manifest.json`, "utf8")).graphs;
  await toyTrainer(options(folder, { loop: { numSteps: 6 } })).fit(loader());
  const { trainLast } = graphs();
  expect(trainLast).toMatch(/^[0-9a-f]{64}$/);
  await toyTrainer(options(folder, { loop: { numSteps: 8 } })).fit(loader());
  expect(graphs().trainLast).toBe(trainLast);
});

test("the folder is given back last: what finalize writes there is still this run's", async () => {
  const folder = `${temporaryFolder()}/run`;
  let held: boolean | undefined;
  const finalize = () => {
    held = existsSync(`${folder}/lock`);
  };
  const callbacks = [{ name: "Last", changesTraining: false, finalize }];
  await run(folder, { callbacks });
  expect(held).toBe(true);
  expect(existsSync(`${folder}/lock`)).toBe(false);
});
