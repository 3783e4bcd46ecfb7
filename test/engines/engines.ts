// npm run test:engines [-- NAME…]: the first steps of every preset on other engines and processors, which must come to this Node's digests. It writes docs/engines.md. What is missing is said.
import { writeFileSync } from "node:fs";
import { type Answers, ask, bundle, type Heard } from "./lane.ts";
import { type Engine, engines } from "./list.ts";
import { type Lane, type Matrix, matrixPage, matrixPath, type Row, readMatrix } from "./matrix.ts";
import { serveLanes } from "./page.ts";
import { shortForms } from "./presets.ts";

const wanted = process.argv.slice(2);
const chosen = engines.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const unknown = wanted.filter((name) => !engines.some((engine) => engine.name === name));
if (unknown.length > 0) {
  console.error(`test:engines: no ${unknown.join(", ")}; there are ${engines.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const { path: program, remove } = await bundle();
const pages = await serveLanes();
const { answers, problem } = await ask([process.execPath], program, "wasm/1", Object.keys(shortForms));
if (problem !== undefined) throw new Error(`this Node: ${problem}`);
const digests = Object.fromEntries(answers.map(({ preset, digest }) => [preset, digest]));
for (const [preset, digest] of Object.entries(digests)) console.log(`${digest} ${preset}`);

let [passed, failed, skipped] = [0, 0, 0];

/** What stands in the matrix for a lane. */
async function cellOf(
  engine: Engine,
  lane: Lane,
  presets: readonly string[],
): Promise<{ cell: string; version?: string }> {
  const nothing = (error: unknown): Answers => ({ answers: [], problem: String(error) });
  let since = performance.now();
  const heard: Heard = ({ preset, digest }) => {
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    since = performance.now();
    console.log(
      `${digest === digests[preset] ? "same    " : "WRONG   "} ${engine.name} ${lane} ${preset}: ${seconds} s`,
    );
  };
  const { answers, problem } = await engine.ask({ program, pages, heard }, lane, presets).catch(nothing);
  const other = answers.filter(({ preset, digest }) => digest !== digests[preset]).map(({ preset }) => preset);
  const threads = lane.startsWith("wasm/2") ? 2 : 1;
  const wrong = [
    ...other.map((preset) => `${preset} differs`),
    ...(answers.some((answer) => answer.threads !== threads) ? [`not ${threads} threads`] : []),
    ...(answers.length < presets.length ? [`no answer to ${presets[answers.length]}`] : []),
  ];
  passed += answers.length - other.length;
  failed += presets.length - answers.length + other.length;
  const said = wrong.length > 0 ? `${wrong.join(", ")}${problem ? `: ${problem}` : ""}` : `${answers.length} the same`;
  console.log(`${wrong.length > 0 ? "WRONG   " : "same    "} ${engine.name} ${lane}: ${said}`);
  const sound = String(answers.length - other.length);
  return { cell: wrong.length > 0 ? `${sound}, **${wrong.join(", ")}**` : sound, version: answers[0]?.version };
}

/** Puts a row in the page; lanes that it doesn't have stay as that version of the engine had them. */
function write(row: Row): void {
  const known: Matrix = readMatrix();
  const old = JSON.stringify(known.digests) === JSON.stringify(digests) ? known.rows : [];
  const same = old.find(({ name, engine }) => name === row.name && engine === row.engine);
  const rows = [...old.filter(({ name }) => name !== row.name), { ...row, cells: { ...same?.cells, ...row.cells } }];
  const order = engines.map(({ name }) => name);
  rows.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  writeFileSync(matrixPath, matrixPage({ digests, rows: rows.filter(({ name }) => order.includes(name)) }));
}

for (const engine of chosen) {
  const asked = Object.entries(engine.asked) as [Lane, readonly string[]][];
  const missing = engine.missing();
  if (missing !== undefined) {
    skipped += asked.reduce((sum, [, presets]) => sum + presets.length, 0);
    console.log(`skipped  ${engine.name}: ${missing}`);
    continue;
  }
  const { name, title, note, processor } = engine;
  for (const [lane, presets] of asked) {
    const { cell, version } = await cellOf(engine, lane, presets);
    const words = [version === undefined ? title : `${title} ${version}`, ...(note ? [note] : [])];
    write({ name, engine: words.join(", "), processor, cells: { [lane]: cell } });
  }
}
pages.close();
remove();
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 ? 1 : 0);
