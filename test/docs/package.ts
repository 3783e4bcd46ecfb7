// npm run test:package: the package as npm packs it, installed in an empty project, where every command of the README's check, of docs/commands.md, docs/guide/first-run.md
// and docs/proof.md must work as printed, with `npx seedgrad` in place of `npm run seedgrad --`. It takes minutes, and the registry.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../support/sources.ts";

const page = (name: string) => readFileSync(`${root}${name}`, "utf8");
const firstRun = page("docs/guide/first-run.md");
const check = page("README.md").match(/^## Check our run\n([\s\S]*?)^## /m)![1];
const sections = [check, page("docs/commands.md"), firstRun, page("docs/proof.md")];
const programOf = (text: string) => text.match(/^```ts\n([\s\S]*?)^```$/m)![1];

/** The commands of a text's sh blocks, as they are where the package is installed. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
    block
      .trimEnd()
      .split("\n")
      .map((line) =>
        line
          .replace(/ +#.*$/, "")
          .replace("npm run seedgrad --", "npx seedgrad")
          .replace(/(?<!\/)src\/presets/, "node_modules/seedgrad/src/presets"),
      ),
  );
}

let failed = 0;
function run(command: string, cwd: string, expected = 0): string {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(command, { cwd, shell: true, encoding: "utf8" });
  const right = status === expected;
  if (!right) failed++;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${right ? "ok    " : "FAILED"} ${seconds.padStart(6)} s  ${command}`);
  if (!right) console.log(`exit code ${status}, expected ${expected}\n${stdout}${stderr}`);
  return stdout;
}

const folder = mkdtempSync(join(tmpdir(), "seedgrad-package-"));
try {
  run("npm run build", root);
  const packed = run(`npm pack --silent --pack-destination ${folder}`, root).trim();
  // The package has no sources that maps would lead to.
  run(`! tar -tzf ${folder}/${packed} | grep -E "[.]map$|/test/"`, root);
  run("npm run docs:api", root);
  run("npm init -y", folder);
  run("npm pkg set type=module", folder);
  run(`npm install --no-audit --no-fund ./${packed}`, folder);
  // Its types as a project finds them that has neither Node's nor skipLibCheck.
  writeFileSync(
    join(folder, "types.ts"),
    'import { Trainer } from "seedgrad";\nimport { tensor } from "seedgrad/core";\nimport { flatten } from "seedgrad/nn";\nimport { det } from "seedgrad/ops/linalg";\nexport const { shape } = det(tensor([[1]]));\nexport const layer = flatten();\nexport const trainer = Trainer;\n',
  );
  for (const resolution of ["--module nodenext", "--module esnext --moduleResolution bundler"])
    run(`node ${root}node_modules/typescript/bin/tsc --noEmit --strict --target es2022 ${resolution} types.ts`, folder);
  writeFileSync(join(folder, "first.js"), programOf(firstRun));
  // The data first: docs/commands.md tells of it beside the package.
  const commands = sections.map(commandsOf);
  const packages = commands.flat().filter((command) => /^npm install [\w-]+@/.test(command));
  for (const command of new Set(packages)) run(command, folder);
  for (const list of commands) {
    rmSync(join(folder, "runs"), { recursive: true, force: true });
    for (const command of list) {
      if (!/^(mkdir|npm) /.test(command)) run(command, folder, command.includes("seedgrad diff ") ? 1 : 0);
    }
  }
  writeFileSync(join(folder, "program.js"), programOf(page("docs/proof.md")));
  run("node program.js", folder);
  run("npx seedgrad verify runs/checked", folder, 1);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
