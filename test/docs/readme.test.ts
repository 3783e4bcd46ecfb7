// The README's claims: its ts blocks run as they stand, and the digest it prints is the preset's published one.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { transformSync } from "esbuild";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { parsePhases } from "../../src/index.ts";
import { call, source } from "../support/cli.ts";
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
/** Blocks that begin with the path at which they would stand in the sources. */
const added = new Map(
  blocks.flatMap(([, text]) => {
    const [, path] = /^\/\/ (src\/\S+\.ts)\n/.exec(text) ?? [];
    return path === undefined ? [] : [[`${root}${path}`, text] as const];
  }),
);

interface Ran {
  readonly output: string;
  readonly error?: string;
}

/** Runs programs against the library, one after the other in a process, each from a folder of its own. */
function run(texts: readonly string[]): Ran[] {
  const folder = temporaryFolder();
  const files = texts.map((text, i) => {
    const { code } = transformSync(text, { loader: "ts", target: "node20" });
    mkdirSync(`${folder}/${i}`);
    const file = `${folder}/${i}/program.mjs`;
    const ours = code.replace('from "seedgrad"', `from "${source("index")}"`);
    writeFileSync(file, ours.replaceAll('"runs/', `"${folder}/${i}/runs/`));
    return file;
  });
  writeFileSync(
    `${folder}/all.mjs`,
    `const ran = [];
    const write = process.stdout.write.bind(process.stdout);
    for (const file of ${JSON.stringify(files)}) {
      let output = "";
      process.stdout.write = (text) => (output += text).length > 0;
      const error = await import(file).then(() => undefined, (reason) => String(reason?.stack ?? reason));
      ran.push({ output, error });
    }
    write(JSON.stringify(ran));`,
  );
  const env = { ...process.env, NO_COLOR: "1" };
  return JSON.parse(execFileSync(process.execPath, [`${folder}/all.mjs`], { cwd: root, encoding: "utf8", env }));
}

describe("ts blocks", () => {
  test("there are some", () => {
    expect(programs.length).toBeGreaterThanOrEqual(2);
    expect(added.size).toBeGreaterThanOrEqual(2);
  });

  test("they typecheck under strict", () => {
    const folder = temporaryFolder();
    for (const [i, [, text]] of programs.entries()) writeFileSync(`${folder}/block_${i}.mts`, text);
    const compilerOptions = {
      rootDir: "/",
      paths: { seedgrad: [`${root}src/index.ts`] },
      typeRoots: [`${root}node_modules/@types`],
    };
    const files = [...programs.map((_, i) => `${folder}/block_${i}.mts`), ...added.keys()];
    const json = { extends: `${root}tsconfig.json`, compilerOptions, files };
    const { options, errors } = ts.parseJsonConfigFileContent(json, ts.sys, folder);
    const declared = ["rng/pcg-random", "io/pngjs"].map((name) => `${root}src/${name}.d.ts`);
    const host = ts.createCompilerHost(options);
    const { readFile, fileExists } = host;
    host.readFile = (file) => added.get(file) ?? readFile(file);
    host.fileExists = (file) => added.has(file) || fileExists(file);
    const program = ts.createProgram([...files, ...declared], options, host);
    // The sources themselves are checked elsewhere.
    const found = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
    expect(errors).toEqual([]);
    expect(found.map(({ file, messageText }) => [file?.fileName, messageText])).toEqual([]);
  }, 120_000);

  const ran: Ran[] = [];
  test.each(programs.map(([name, text], i) => [name, text, i] as const))(
    "%s runs",
    (_, text, i) => {
      if (ran.length === 0) ran.push(...run(programs.map(([, each]) => each)));
      const { output, error } = ran[i];
      expect(error).toBeUndefined();
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

test("files that README and docs name are there", () => {
  const found = ["src", "kernels", "test", "bench", "tools"].flatMap((room) =>
    readdirSync(`${root}${room}`, { recursive: true, encoding: "utf8" }).map((name) => `${room}/${name}`),
  );
  const isThere = (path: string) =>
    found.some((each) => each === path || `/${each}`.endsWith(`/${path}`) || `/${each}`.includes(`/${path}/`));
  for (const page of pages) {
    const text = readFileSync(`${root}${page}`, "utf8").replace(/```.*?```/gs, "");
    const named = [...text.matchAll(/`((?:src|kernels|test|bench|tools)\/[\w./-]+?)\/?`|`((?:[\w-]+\/)+[\w-]+\.ts)`/g)];
    expect(
      named.flatMap(([, folder, file]) => [folder ?? file]).filter((path) => !isThere(path) && !isThere(`${path}.ts`)),
      page,
    ).toEqual([]);
  }
});

test("every npm script that README and docs/commands.md name exists", () => {
  const text = ["README.md", "docs/commands.md"].map((page) => readFileSync(`${root}${page}`, "utf8")).join("");
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  for (const [, name] of text.matchAll(/npm run ([a-z:]+)/g)) expect(scripts).toHaveProperty([name]);
});

test("docs/commands.md has every command, and no other; the flags that it names exist", async () => {
  const rows = readFileSync(`${root}docs/commands.md`, "utf8").match(/^\| `.*$/gm)!;
  const commandsIn = (row: string) => [...row.split(" | ")[0].matchAll(/`([a-z-]+)/g)].map(([, name]) => name);
  const { stdout } = await call(["--help"]);
  const list = stdout.slice(stdout.indexOf("\nCommands:"), stdout.indexOf("\nExit codes:"));
  const all = [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name).filter((name) => name !== "help");
  expect([...new Set(rows.flatMap(commandsIn))].sort()).toEqual(all.sort());
  const { stdout: completion } = await call(["completion", "bash"]);
  for (const [flag] of rows.join("").matchAll(/--[a-z-]+/g)) expect(completion).toMatch(new RegExp(`${flag}\\b`));
});
