// Completion, in a real shell.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { call, configFile } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";

const shells = ["bash", "zsh"].map((shell) => [shell, spawnSync(shell, ["--version"]).status === 0] as const);

describe("completion", () => {
  for (const [shell, isThere] of shells) {
    test.skipIf(!isThere)(`in ${shell}${isThere ? "" : `: ${shell} isn't installed`}`, async () => {
      const { stdout, code } = await call(["completion", shell]);
      expect(code).toBe(0);
      const file = `${temporaryFolder()}/completion`;
      writeFileSync(file, stdout);
      const complete = (...words: string[]) => {
        const program = `source ${file}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; ${shell === "zsh" ? "emulate sh -c _seedgrad" : "_seedgrad"}; echo "\${COMPREPLY[@]}"`;
        const { stdout: out, stderr } = spawnSync(shell, ["-c", program], { encoding: "utf8" });
        expect(stderr).toBe("");
        const found = out.trim().split(" ");
        // zsh leaves out itself what doesn't begin as the word does.
        return shell === "zsh" ? found.filter((word) => word.startsWith(words.at(-1)!)) : found;
      };
      expect(complete("seedgrad", "ver")).toEqual(["verify"]);
      expect(complete("seedgrad", "te")).toEqual(["test"]);
      expect(complete("seedgrad", "test", "runs/a", "--ck")).toEqual(["--ckpt"]);
      expect(complete("seedgrad", "fit", "--se")).toEqual(["--seed", "--set"]);
      expect(complete("seedgrad", "comp")).toEqual(["compare", "completion"]);
      expect(complete("seedgrad", "compare", "runs/a", "runs/b", "--ta")).toEqual(["--target"]);
      expect(complete("seedgrad", "verify", "runs/a", "--da")).toEqual(["--data"]);
      expect(complete("seedgrad", "checkpoint", "in")).toEqual(["info"]);
      expect(complete("seedgrad", "config", "show", "--max")).toEqual(["--max-steps"]);
      expect(complete("seedgrad", "list", "opt")).toEqual(["optimizers"]);
      expect(complete("seedgrad", "sweep", "a.yaml", "--emit", "sl")).toEqual(["slurm"]);
      expect(complete("seedgrad", "fit", configFile(""), "--backend", "ref")).toEqual(["reference"]);
    });
  }

  test("of another shell is refused", async () => {
    const { code, stderr } = await call(["completion", "fish"]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/no such shell: got fish, expected bash or zsh/)]);
  });
});
