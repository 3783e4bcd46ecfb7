// A run that is cut off in the middle of an epoch and gone on with by new objects, beside one that isn't: both digests.
import type { DataLoader } from "../../src/data/loader.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { Trainer } from "../../src/verify/trainer.ts";
import { temporaryFolder } from "./folder.ts";

/** The digests of 9 steps at once, and of as many in two fits, the first of 5. The loader is made anew for each. */
export async function resumed(
  options: TrainerOptions,
  loader: () => DataLoader,
): Promise<[whole: string, resumed: string]> {
  const run = async (modelDir: string, numSteps: number) => {
    const common = { logging: { logLevel: "silent" }, backend: "reference" } as const;
    const trainer = new Trainer({ ...common, ...options, modelDir, loop: { ...options.loop, numSteps } });
    return (await trainer.fit(loader())).digest;
  };
  const whole = await run(temporaryFolder(), 9);
  const folder = temporaryFolder();
  await run(folder, 5);
  return [whole, await run(folder, 9)];
}
