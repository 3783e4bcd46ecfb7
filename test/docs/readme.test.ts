// The README's claims: its ts blocks run as they stand, and the digest it prints is the preset's published one.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { transformSync } from "esbuild";
import { describe, expect, test } from "vitest";
import { parsePhases } from "../../src/index.ts";
import { source } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const pages = [
  "README.md",
  ...readdirSync(`${root}docs`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.startsWith("api/"))
    .map((name) => `docs/${name}`),
];
const blocks = pages.flatMap((page) =>
  [...readFileSync(`${root}${page}`, "utf8").matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(
    (match, i) => [`${page}, block ${i + 1}`, match[1]] as const,
  ),
);
const programs = blocks.filter(([, text]) => text.includes('from "seedgrad"'));

/** Runs a program against the library, in a folder of its own. */
function run(text: string): string {
  const folder = temporaryFolder();
  const { code } = transformSync(text, { loader: "ts", target: "node20" });
  writeFileSync(
    `${folder}/program.mjs`,
    code.replace('from "seedgrad"', `from "${source("index")}"`).replaceAll('"runs/', `"${folder}/runs/`),
  );
  return execFileSync(process.execPath, [`${folder}/program.mjs`], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
}

describe("ts blocks", () => {
  test("there are some", () => expect(programs.length).toBeGreaterThanOrEqual(2));

  test("they typecheck under strict", () => {
    const folder = temporaryFolder();
    for (const [i, [, text]] of programs.entries()) writeFileSync(`${folder}/block_${i}.mts`, text);
    const compilerOptions = {
      rootDir: "/",
      paths: { seedgrad: [`${root}src/index.ts`] },
      typeRoots: [`${root}node_modules/@types`],
    };
    const config = {
      extends: `${root}tsconfig.json`,
      compilerOptions,
      include: [`${folder}/*.mts`, `${root}src/rng/pcg-random.d.ts`, `${root}src/io/pngjs.d.ts`],
    };
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config));
    const tsc = [`${root}node_modules/typescript/bin/tsc`, "--noEmit", "--project", folder];
    const { status, stdout } = spawnSync(process.execPath, tsc, { encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  }, 120_000);

  test.each(programs)(
    "%s runs",
    (_, text) => {
      const output = run(text);
      if (text.includes("run.digest")) expect(output).toMatch(/[0-9a-f]{64} [0-9a-f]{64}\n$/);
      else expect(output.trim()).not.toBe("");
    },
    120_000,
  );
});

const configs = pages
  .flatMap(
    (page) =>
      [...readFileSync(`${root}${page}`, "utf8").matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
        (match) => [page, match[1]] as const,
      ),
    // A sweep's file names its config; test/docs/sweep.test.ts plans those.
  )
  .filter(([, text]) => !/^config:/m.test(text));

test.each(configs)("a yaml block of %s is a config", (page, text) => {
  expect(parsePhases(text, page)[0].trainer.init.seed).toBe(1234);
});

test("the digest it prints is the published one", () => {
  const published = JSON.parse(readFileSync(`${root}src/presets/digests.json`, "utf8"))["mnist-mlp.yaml"].digest;
  expect(readFileSync(`${root}README.md`, "utf8")).toContain(`digest  ${published}`);
});

test("links of README and docs lead to files that the package has", () => {
  const { files } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { files: string[] };
  for (const page of pages) {
    for (const [, link] of readFileSync(`${root}${page}`, "utf8").matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      const path = normalize(join(dirname(page), link));
      expect(existsSync(`${root}${path}`), `${page}: ${link}`).toBe(true);
      expect(
        files.some((name) => path === name || path.startsWith(`${name}/`)),
        `${page}: ${link}`,
      ).toBe(true);
    }
  }
});

test("every npm script and command it names exists", () => {
  const text = ["README.md", "docs/commands.md"].map((page) => readFileSync(`${root}${page}`, "utf8")).join("");
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  for (const [, name] of text.matchAll(/npm run ([a-z:]+)/g)) expect(scripts).toHaveProperty([name]);
  const help = execFileSync(process.execPath, ["--import", "tsx", "src/cli/main.ts", "--help"], {
    cwd: root,
    encoding: "utf8",
  });
  for (const [, name] of text.matchAll(/^\| `([a-z]+)[ `]/gm))
    if (!["wasm"].includes(name)) expect(help).toMatch(new RegExp(`^  ${name}`, "m"));
});
