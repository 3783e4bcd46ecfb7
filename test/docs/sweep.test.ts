// docs/guide/from-one-run-to-a-hundred.md: its sweeps are plans, and its commands work as printed, with stand-ins for what a cluster has.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { planSweep } from "../../src/sweep/plan.ts";
import { commandFolder } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const page = readFileSync(`${root}docs/guide/from-one-run-to-a-hundred.md`, "utf8").replaceAll(
  "node_modules/seedgrad/src/presets",
  `${root}src/presets`,
);
const blocks = (kind: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, text]) => text);

/** What the commands find: ours, a scheduler that runs the jobs of an array one after the other, and one that takes a Job. */
function stands(): string {
  const folder = commandFolder();
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/bash\nset -euo pipefail\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  write("npx", 'exec "$@"');
  write(
    "sbatch",
    'last=$(sed -n "s/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p" "$1")\nfor i in $(seq 0 "$last"); do SLURM_ARRAY_TASK_ID=$i bash "$1"; done',
  );
  write("kubectl", '[ "$1 $2" = "apply -f" ] && grep -q "^kind: Job$" "$3"');
  return folder;
}

describe("the guide", () => {
  test("has sweeps that can be planned", () => {
    const plans = blocks("yaml").map((text) => planSweep(text, "sweep.yaml"));
    expect(plans.map(({ runs }) => runs.length)).toEqual([4, 6]);
  });

  test("has commands that work, in their order", () => {
    const folder = scratch();
    writeFileSync(join(folder, "sweep.yaml"), blocks("yaml")[0]);
    // A shell of a user's own: under `npm test` the scripts that are written would name npm's way of calling.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
    env.PATH = `${stands()}:${env.PATH}`;
    const commands = blocks("sh").flatMap((text) => text.trimEnd().split("\n"));
    expect(commands.length).toBeGreaterThan(8);
    for (const command of commands) {
      const runs = join(folder, "runs/sweep");
      const [name] = existsSync(runs) ? readdirSync(runs).filter((each) => /^[0-9a-f]{16}$/.test(each)) : [];
      const { status, stdout, stderr } = spawnSync("bash", ["-c", command.replace("NAME", name)], {
        cwd: folder,
        env,
        encoding: "utf8",
      });
      expect(status, `${command}\n${stdout}${stderr}`).toBe(0);
      if (command.includes("nothing is made again")) expect(stderr).toContain("4 finished before");
    }
    expect(readFileSync(join(folder, "runs/sweep/sweep.csv"), "utf8").trim().split("\n")).toHaveLength(5);
    expect(existsSync(join(folder, "compared.html"))).toBe(true);
  });
});
