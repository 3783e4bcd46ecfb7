// A part of a run to replay, chosen by the verifier's own draw, so that whoever made the run couldn't know which.
import { ConfigError } from "../core/errors.ts";
import { fillWords } from "../rng/draws.ts";
import { readChain } from "../run/chainfile.ts";
import { listCheckpoints } from "../run/checkpoint.ts";

/** K steps from the beginning or from one of the run's checkpoints, by draw 0 of a seed that the verifier keeps to himself until then. Throws ConfigError for more steps than the run has after any. */
export function shareOf(
  folder: string,
  steps: number,
  seed: bigint,
): { readonly from: number; readonly steps: number } {
  const last = readChain(`${folder}/chain.bin`).length;
  const begins = [0, ...listCheckpoints(`${folder}/checkpoints`).map(({ step }) => step)];
  const fitting = [...new Set(begins)].filter((step) => step + steps <= last).sort((a, b) => a - b);
  if (fitting.length === 0) {
    throw new ConfigError({
      where: folder,
      problem: "more steps than the run has after any of its checkpoints",
      got: String(steps),
      expected: `at most ${last}`,
    });
  }
  const word = new Uint32Array(1);
  fillWords(seed, 0, word);
  return { from: fitting[Math.floor((word[0] * fitting.length) / 2 ** 32)], steps };
}
