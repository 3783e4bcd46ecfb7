// docs/engines.md: which engine came to which digest, one row an engine. A row stays until its engine is run again, as long as the digests are those of the page.
import { existsSync, readFileSync } from "node:fs";
import { root } from "../support/sources.ts";
import { onGpu, quick, shortForms } from "./presets.ts";

export const matrixPath = `${root}docs/engines.md`;

/** Lanes by name, as the page heads them. */
export const lanes = {
  reference: "`reference`",
  "wasm/1": "`wasm`",
  "wasm/2": "2 threads",
  "wasm/1/scalar": "no SIMD",
  "wasm/2/auto": "2 threads, vectors of 8",
  "gpujs:webasm": "`gpujs:webasm`",
  "gpujs:cpu": "`gpujs:cpu`",
  webgpu: "`webgpu`",
  "gpujs:webgpu": "`gpujs:webgpu`",
} as const;
export type Lane = keyof typeof lanes;
const laneNames = Object.keys(lanes) as Lane[];

/** An engine's row. */
export interface Row {
  /** What `npm run test:engines -- NAME` calls it. */
  readonly name: string;
  readonly engine: string;
  readonly processor: string;
  /** By lane: how many presets came to their digests, and what is wrong with others. */
  readonly cells: Readonly<Partial<Record<Lane, string>>>;
}

/** The page as it stands: digests by preset, and rows. */
export interface Matrix {
  readonly digests: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

const cellsOf = (line: string) =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

/** What a page says. */
export function readMatrix(text = existsSync(matrixPath) ? readFileSync(matrixPath, "utf8") : ""): Matrix {
  const lines = text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map(cellsOf);
  const digests = lines.filter((cells) => cells.length === 3).map(([preset, , digest]) => [bare(preset), bare(digest)]);
  const rows = lines
    .filter((cells) => cells.length > 3)
    .map(([name, engine, processor, ...cells]): Row => {
      const tried = laneNames.map((lane, i) => [lane, cells[i]]).filter(([, cell]) => cell !== none);
      return { name: bare(name), engine, processor, cells: Object.fromEntries(tried) };
    });
  return { digests: Object.fromEntries(digests), rows };
}

const none = "–";
const bare = (cell: string) => cell.replaceAll("`", "");
const lineOf = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => "---"), ...rows].map(lineOf).join("\n");
const named = (presets: readonly string[]) => listed(presets.map((preset) => `\`${preset}\``));
const listed = (words: readonly string[]) => words.join(", ").replace(/, ([^,]+)$/, " and $1");

/** What the rows come to, as the README says it. */
export function summary({ rows }: Matrix): string {
  const isSound = ({ cells }: Row) => Object.values(cells).every((cell) => /^\d+$/.test(cell));
  const versionOf = ({ engine, processor }: Row) => `${engine.split(",")[0]} ${processor}`;
  const wrong = new Set(rows.filter((row) => !isSound(row)).map(versionOf));
  const sound = rows.filter((row) => !wrong.has(versionOf(row)));
  const most = new Map<string, number>();
  for (const row of sound)
    most.set(versionOf(row), Math.max(most.get(versionOf(row)) ?? 0, ...Object.values(row.cells).map(Number)));
  const all = Object.keys(shortForms).length;
  const [whole, part] = [true, false].map((isWhole) =>
    sound.filter((row) => (most.get(versionOf(row)) === all) === isWhole),
  );
  const processorsOf = (some: readonly Row[]) =>
    listed([...new Set(some.map(({ processor }) => processor.split(" ")[0]))]);
  const named = new Map<string, Set<string>>();
  for (const { engine } of whole) {
    const [name, version] = engine.split(/ (?=\d)/);
    named.set(name, (named.get(name) ?? new Set()).add(version.split(".")[0]));
  }
  const engines = [...named].map(([name, versions]) => `${name} ${listed([...versions])}`);
  const least = Math.min(...part.map((row) => most.get(versionOf(row))!));
  const emulated = part.every(({ processor }) => processor.endsWith("(qemu)")) ? ", emulated" : "";
  const others = part.length > 0 ? `, and those of ${least} of them on ${processorsOf(part)}${emulated}` : "";
  return `The first steps of all ${all} presets came to the same digests in ${listed(engines)} on ${processorsOf(whole)}${others}: [engines and processors](docs/engines.md).`;
}

/** The page's text. */
export function matrixPage({ digests, rows }: Matrix): string {
  const presets = Object.entries(shortForms);
  return `# Engines and processors

\`npm run test:engines\` trains the first steps of every preset on each JavaScript engine that is here, and writes this page. \`npm run test:engines -- NAME…\` renews the rows of these engines. A row is of the last
time that its engine was there; where the digests change, all rows go. \`npm run setup:system -- --engines\` installs the browsers and, on Debian, what emulates other processors; Nodes, Bun and Deno come from npm.

The digests to come to. \`npm run seedgrad -- fit src/presets/${presets[0][0]}.yaml --max-steps ${presets[0][1]}\` gives the first.

${table(
  ["preset", "steps", "digest"],
  presets.map(([preset, steps]) => [`\`${preset}\``, String(steps), `\`${digests[preset]}\``]),
)}

Where they came out. A number says how many of the presets, from the first on, were trained there and came to exactly these digests; the slower backends have the first ${quick.length} alone. ${none}: not tried.

The lanes \`webgpu\` and \`gpujs:webgpu\` run on SwiftShader, a GPU's driver in software: \`webgpu\` has ${named(onGpu.webgpu)}; \`gpujs:webgpu\` has ${named(onGpu.gpujs)}, since what it fails there, most of a step, runs on the interpreter.
No real GPU has been seen yet: [on a GPU](gpu.md).

${table(
  ["name", "engine", "processor", ...Object.values(lanes)],
  rows.map(({ name, engine, processor, cells }) => [
    `\`${name}\``,
    engine,
    processor,
    ...laneNames.map((lane) => cells[lane] ?? none),
  ]),
)}

Pages train in a worker; one that isn't cross-origin isolated has one thread, and so has every page of WebKitGTK, which has no SharedArrayBuffer. On armv7 and s390x the scalar path is taken: SIMD flushes subnormals on the one, and on the other, emulated, V8's gives other bits or crashes once it is hot.
`;
}
