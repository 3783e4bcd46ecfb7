// One lane of the engines' test: the program bundled into one file, and an engine asked for its answer.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../support/sources.ts";

/** Bundles program.ts with the library into the folder. Returns the file. */
export async function bundle(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, "program.mjs");
  await build({
    stdin: {
      contents: `import { train } from "./test/engines/program.ts";
        console.log("answer " + JSON.stringify(await train(process.argv.at(-1))));
        process.exit(0);`,
      resolveDir: root,
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    platform: "node",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    outfile,
    logLevel: "error",
  });
  return outfile;
}

/** The first digits of the SHA-256 of what the engine that `start` runs says to a lane, or why it said nothing. */
export function ask(start: readonly string[], program: string, lane: string): string {
  const [file, ...args] = [...start, program, lane];
  const { stdout, stderr, error } = spawnSync(file, args, { encoding: "utf8", timeout: 900_000 });
  const answer = stdout?.split("\n").find((line) => line.startsWith("answer "));
  if (answer) return createHash("sha256").update(answer).digest("hex").slice(0, 16);
  return `no answer: ${error?.message ?? stderr.trim().split("\n").slice(-3).join(" | ")}`;
}
