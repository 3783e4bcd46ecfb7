// Signals in processes of their own: the first finishes the step and saves, the second stops at once; what was saved goes on to the digest of a
// run that never stopped.
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { callerWords } from "../../src/cli/fit.ts";
import { latestCheckpoint } from "../../src/run/checkpoint.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { call, configFile, presetWith, start } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";

/** Fewer images are sooner read. */
const fewer = ["split: train", "split: test"] as const;
const text = presetWith([", eval_frequency: epoch", ""], ["{steps: 500}", "{}"], fewer);
const folder = () => join(scratch(), "run");

/** Does something once, when the run has begun its steps. */
function once(act: (child: ChildProcess) => void): (stderr: string, child: ChildProcess) => void {
  let done = false;
  return (stderr, child) => {
    if (done || !/^step /m.test(stderr)) return;
    done = true;
    act(child);
  };
}

/** The words of a printed command, without quotes in them, from `fit` on. */
function wordsOf(command: unknown): string[] {
  const words = String(command).split(" ");
  return words.slice(words.indexOf("fit"));
}

test("the command that goes on is called as this one was", () => {
  expect(callerWords({})).toEqual(["seedgrad"]);
  expect(callerWords({ npm_lifecycle_event: "npx", npm_package_name: "seedgrad" })).toEqual(["npx", "seedgrad"]);
  expect(callerWords({ npm_lifecycle_event: "start", npm_package_name: "seedgrad" }).join(" ")).toBe(
    "npm run seedgrad --",
  );
  expect(callerWords({ npm_lifecycle_event: "train", npm_package_name: "mine" })).toEqual(["seedgrad"]);
});

describe("a signal", () => {
  test("SIGINT: code 130, a checkpoint, and the command that is printed goes on to the same digest; SIGTERM: 143", async () => {
    const config = configFile(text.replace("num_epochs: 3", "num_epochs: 30"));
    const modelDir = folder();
    const run = ["--max-steps", "1500", "--set", "trainer.init.optimizer.AdamW.weight_decay=0.5", "--json"];
    const args = ["fit", config, "--model-dir", modelDir, ...run];
    const whole = call(["fit", config, "--model-dir", folder(), ...run]);

    const stopped = await start(
      args,
      once((child) => child.kill("SIGINT")),
    );
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stderr).toContain("SIGINT: finishing the step and saving");
    const { interrupted, step, checkpoint, resume } = stopped.json();
    expect(interrupted).toBe("SIGINT");
    expect(checkpoint).toBe(join(modelDir, `checkpoints/checkpoint_${step}.safetensors`));
    expect(checkpoint).toBe(latestCheckpoint(join(modelDir, "checkpoints")));
    expect(readManifest(join(modelDir, "manifest.json")).status).toBe("interrupted");
    expect(existsSync(join(modelDir, "lock"))).toBe(false);
    expect(stopped.stdout).toContain(`go on with: ${resume}`);

    const terminated = await start(
      wordsOf(resume),
      once((child) => child.kill("SIGTERM")),
    );
    expect(terminated.code, terminated.stderr).toBe(143);
    expect(terminated.json().step as number).toBeGreaterThan(step as number);

    const resumed = await start(wordsOf(terminated.json().resume));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.json().steps).toBe(1500);
    expect(resumed.json().digest).toBe((await whole).json().digest);
  });

  test("twice: it stops at once", async () => {
    const config = configFile(
      presetWith([", eval_frequency: epoch", ", eval_frequency: 1"], ["{steps: 500}", "{}"], fewer).replaceAll(
        "batch_size: 1000",
        "batch_size: 5",
      ),
    );
    const modelDir = folder();
    // Validation in small batches takes seconds: a signal in the midst of the second one waits for its end.
    let asked = false;
    const run = await start(["fit", config, "--model-dir", modelDir, "--backend", "reference"], (stderr, child) => {
      if (/once more stops at once/.test(stderr)) child.kill("SIGINT");
      else if (!asked && /^step /m.test(stderr)) {
        asked = true;
        setTimeout(() => child.kill("SIGINT"), 300);
      }
    });
    expect(run.code, run.stderr).toBe(130);
    expect(run.stdout).not.toContain("go on with");
    expect(latestCheckpoint(join(modelDir, "checkpoints"))).toBeUndefined();
  });

  test("SIGHUP, more than once as terminals send it: code 129, and the step is saved", async () => {
    const config = configFile(text);
    const modelDir = folder();
    const run = await start(
      ["fit", config, "--model-dir", modelDir, "--json"],
      once((child) => {
        child.kill("SIGHUP");
        child.kill("SIGHUP");
      }),
    );
    expect(run.code, run.stderr).toBe(129);
    expect(run.json().interrupted).toBe("SIGHUP");
    expect(latestCheckpoint(join(modelDir, "checkpoints"))).toBe(run.json().checkpoint);
    expect(readManifest(join(modelDir, "manifest.json")).status).toBe("interrupted");
  });

  test("with nothing saved it says so", async () => {
    const config = configFile(presetWith([", eval_frequency: epoch", ""], ["{steps: 500}", "null"], fewer));
    const run = await start(
      ["fit", config, "--model-dir", folder(), "--backend", "reference"],
      once((child) => child.kill("SIGINT")),
    );
    expect(run.code, run.stderr).toBe(130);
    expect(run.stdout).toMatch(/stopped after step \d+, nothing saved/);
  });
});

describe("a reader that goes away", () => {
  const short = presetWith([", eval_frequency: epoch", ""], ["{num_epochs: 3", "{num_steps: 100"], fewer);

  test("fit whose stdout and stderr are closed pipes trains to its end, to the digest of one that was read", async () => {
    const config = configFile(short);
    const [modelDir, read] = [folder(), folder()];
    const run = await start(["fit", config, "--model-dir", modelDir], (_, child) => {
      child.stdout!.destroy();
      child.stderr!.destroy();
    });
    expect(run.code).toBe(0);
    const { status, result } = readManifest(join(modelDir, "manifest.json"));
    expect(status).toBe("finished");
    expect((await call(["fit", config, "--model-dir", read, "--json"])).json().digest).toBe(result!.digest);
    expect(existsSync(join(modelDir, "lock"))).toBe(false);
  });

  test("verify: the exit code is the verdict's, and there is no stack", async () => {
    const modelDir = folder();
    await call(["fit", configFile(short), "--model-dir", modelDir]);
    const unread = await start(["verify", modelDir], undefined, undefined, (child) => child.stdout!.destroy());
    expect(unread.code).toBe(0);
    expect(unread.stderr).not.toMatch(/EPIPE|at .*:\d+:\d+/);
  });
});
