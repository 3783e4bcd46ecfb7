// A recorded loop judged by being run again, in memory: each link of its chain and each checkpoint of its folder is compared as the step is made, and its
// digest in the end. It stops at the first step that differs.
import type { Backend } from "../compile/contract.ts";
import { callable, checkArguments, options as optionsOf, signature, string } from "../core/arguments.ts";
import { tensorDigest } from "../io/state.ts";
import { loadCheckpoint } from "../run/checkpoint.ts";
import { type ChainDifference, compareLinks } from "../run/compare.ts";
import { compareFacts } from "../run/facts.ts";
import { type Loop, runLoop } from "../run/record.ts";
import type { Replayed } from "../run/recording.ts";
import type { Verification } from "../run/verification.ts";
import { replayKinds } from "../train/arguments.ts";
import type { ReplayOptions } from "../train/replay.ts";
import { Checks, recordDifferences } from "./checks.ts";
import { type Recorded, readRecorded, targetOf } from "./folder.ts";

const call = signature("verifyRecordedRun", {
  folder: string,
  loop: callable,
  "options?": optionsOf<ReplayOptions>(replayKinds),
});

/** Ends a replay that has seen all that it was to see. */
class Ended extends Error {}

/**
 * Runs a loop of one's own again, in memory, and compares it with the run that `recordRun` made of it in a folder. Throws CheckpointError for a folder that holds no run, or no
 * checkpoint at `from`, ConfigError for options that don't fit, and what the loop throws.
 */
export async function verifyRecordedRun(
  folder: string,
  loop: Loop,
  options: ReplayOptions = {},
): Promise<Verification> {
  checkArguments(call, arguments);
  const recorded = readRecorded(folder, options);
  const { manifest, from, checkpoint, last, links } = recorded;
  const target = targetOf(recorded, options.against);
  const checks = new Checks();
  let step = from;
  let difference: ChainDifference | undefined;
  let where: Pick<Backend, "name" | "threads"> | undefined;
  const onStep = async (made: Replayed) => {
    step = made.link.step;
    where = made.backend;
    difference = compareLinks(step, made.link, links[step - 1]);
    if (difference) throw new Ended();
    await compareCheckpoints(recorded, made, checks);
    if (step !== last && (step !== links.length || manifest.result === undefined)) return;
    checks.facts("program", compareFacts(manifest, made.facts, ["graph", "shuffle seed", "data", "numbers"]));
    if (step === last) throw new Ended();
  };
  const { backend = String(manifest.environment.backend), threads } = options;
  const found = (facts: Partial<Verification>): Verification => ({
    ...facts,
    ...checks.conclude(facts),
    from,
    steps: step - from,
    backend: where!.name,
    threads: where!.threads,
  });
  try {
    const run = await runLoop({ seed: BigInt(manifest.seed), backend, threads }, loop, { checkpoint, onStep });
    where = { name: run.backend, threads: run.threads };
    checks.compared("chain.bin", [], `the links of steps ${from + 1} to ${step}`);
    checks.value("result: steps", manifest.result?.steps, run.steps);
    checks.value("result: digest", target.digest, run.digest);
    const [other] = target.differences;
    return found({ digest: run.digest, expected: target.digest, ...(other !== undefined && { difference: other }) });
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    if (!difference) {
      checks.compared("chain.bin", [], `the links of steps ${from + 1} to ${step}`);
      checks.trusted("result", `only ${step - from} steps were to be replayed`);
      return found({});
    }
    const told = `${difference.first}, recorded ${difference.second}`;
    checks.compared("chain.bin", [`step ${difference.step}: ${told}`]);
    return found({ expected: target.digest, firstDifference: difference.step, difference: told });
  }
}

/** The folder's checkpoints of a step, against what the replay came to there. */
async function compareCheckpoints({ folder, entries }: Recorded, made: Replayed, checks: Checks): Promise<void> {
  for (const { file } of entries.filter((entry) => entry.step === made.link.step)) {
    const what = `checkpoints/${file}`;
    const { state, tensors } = loadCheckpoint(`${folder}/${what}`);
    const text = (value: object) =>
      Object.fromEntries(Object.entries(value).map(([key, item]) => [key, JSON.stringify(item)]));
    const own = new Map(await made.tensors());
    const digests = (arrays: typeof tensors) =>
      Object.fromEntries([...arrays].map(([name, array]) => [name, tensorDigest(name, array).join()]));
    const [a, b] = [digests(tensors), digests(own)];
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
    checks.compared(what, [
      ...recordDifferences(text(state), text(made.state)),
      ...names.map((name) => `tensor ${name}`),
    ]);
  }
}
