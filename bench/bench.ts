// The bench from its arguments to its exit code: measures, prints, and writes what the options ask for.
import { readFileSync, writeFileSync } from "node:fs";
import { widthFor } from "../src/backend/wasm/width.ts";
import { manualSeed } from "../src/index.ts";
import { allCases } from "./cases/index.ts";
import { compareResults, reportLines } from "./compare.ts";
import { loadContestants } from "./contestants.ts";
import { type Case, type Contestant, hostContestant, measure } from "./harness.ts";
import { busy, describeMachine, load } from "./machine.ts";
import { costHeader, costLine, measureCost, startNeighbour } from "./neighbour.ts";
import { benchInNode } from "./node.ts";
import { help, type Options, parseOptions } from "./options.ts";
import { startPeers } from "./peers.ts";
import { htmlPage } from "./report/html.ts";
import { fillPage, plotOf } from "./report/markdown.ts";
import { absenceLine, header, ratioLines, ratiosOf, rowLine } from "./report/table.ts";
import { type Results, readResults, UsageError } from "./results.ts";

type Print = (line: string) => void;

/** Who takes part in a case: the host alone, or the backends and peers that it isn't too large for. */
function partakers(subject: Case, contestants: readonly Contestant[]): readonly Contestant[] {
  if (subject.place === "host") return [hostContestant];
  return contestants.filter(
    ({ slow, threads, peer }) =>
      (!slow || subject.small === true) &&
      threads >= (subject.minimumThreads ?? 1) &&
      (peer === undefined || subject.workload !== undefined),
  );
}

async function measureAll(options: Options, print: Print): Promise<{ results: Results; wrong: string[] }> {
  const chosen = allCases.filter(({ name }) => options.filter.test(name));
  if (chosen.length === 0) throw new UsageError(`--filter: no case matches ${options.filter}; --list shows them`);
  manualSeed(0);
  const start = performance.now();
  const before = load();
  const own = await loadContestants(options.backends, options.threads, options.vectorWidth);
  const peers = await startPeers(options.peers);
  const contestants = [...own.contestants, ...peers.contestants];
  const width = await widthFor(options.vectorWidth);
  const machine = describeMachine(before, before, width);
  print(
    `${machine.cpu}, ${machine.cores} cores, ${machine.engine}, load ${before}; a call's time, medians over rounds\n`,
  );
  const warning = busy(machine);
  if (warning) print(`${warning}\n`);
  for (const { backend, reason } of peers.missing) print(`${backend} takes no part: ${reason}\n`);
  print(header);
  const results = {
    rows: [] as Results["rows"][number][],
    absent: peers.missing.map((absence) => ({ case: "*", ...absence })),
  };
  const wrong: string[] = [];
  for (const subject of chosen) {
    const measured = await measure(subject, partakers(subject, contestants), { rounds: options.rounds });
    results.rows.push(...measured.rows);
    results.absent.push(...measured.absent);
    for (const row of measured.rows) print(rowLine(row));
    for (const absence of measured.absent) print(absenceLine(absence));
    for (const text of ratioLines(ratiosOf(measured.rows))) print(text);
    for (const text of measured.wrong) {
      wrong.push(`${subject.name}: ${text}`);
      print(`  WRONG: ${text}`);
    }
  }
  peers.stop();
  await own.dispose();
  const done = describeMachine(before, load(), width);
  const seconds = Math.round((performance.now() - start) / 1000);
  print(
    `\n${results.rows.length} rows in ${seconds} s, load now ${done.load[1]}; ${wrong.length === 0 ? "all backends gave the same bits" : `${wrong.length} WRONG`}`,
  );
  return { results: { machine: done, ...results }, wrong };
}

/** The cases alone and beside a busy neighbour. */
async function measureCosts({ filter, threads, rounds, vectorWidth }: Options, print: Print): Promise<void> {
  const chosen = allCases.filter(({ name, place }) => filter.test(name) && place === "backend");
  if (chosen.length === 0) throw new UsageError(`--filter: no case of a backend matches ${filter}`);
  manualSeed(0);
  const { contestants, dispose } = await loadContestants(["wasm"], threads, vectorWidth);
  const neighbour = startNeighbour();
  try {
    print(`load ${load()}; medians and minima over rounds\n\n${costHeader}`);
    for (const subject of chosen) {
      for (const contestant of partakers(subject, contestants))
        print(costLine(await measureCost(subject, contestant, neighbour, rounds)));
    }
  } finally {
    neighbour.end();
    await dispose();
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${path}: can't be read: ${(error as Error).message}`);
  }
}

async function run(args: readonly string[], print: Print): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    print(help);
    return 0;
  }
  if (options.list) {
    for (const { name, about } of allCases) print(`${name.padEnd(26)} ${about}`);
    return 0;
  }
  if (options.node && process.versions.node.split(".")[0] !== options.node) return benchInNode(options.node, args);
  if (options.neighbour) {
    await measureCosts(options, print);
    return 0;
  }
  // Read before minutes of measuring, so that a wrong name is told at once.
  const before = options.compare === undefined ? undefined : readResults(options.compare);
  const beside = options.beside === undefined ? undefined : readResults(options.beside);
  const page = options.markdown === undefined ? undefined : readText(options.markdown);
  const { results, wrong } = options.from
    ? { results: readResults(options.from), wrong: [] }
    : await measureAll(options, print);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  if (options.html) writeFileSync(options.html, htmlPage(results));
  if (options.markdown && page !== undefined) {
    writeFileSync(options.markdown, fillPage(options.markdown, page, results, beside));
    writeFileSync(`${options.markdown.replace(/\.md$/, "")}.svg`, plotOf(results));
  }
  const report = before && compareResults(before, results);
  if (before && report) print(`\n${reportLines(before, results, report).join("\n")}`);
  return wrong.length > 0 || report?.failed ? 1 : 0;
}

/** Runs the bench. Gives the exit code: 0, 1 for what is slower or differs, 2 for bad usage, which is told through `complain`. */
export async function bench(
  args: readonly string[],
  print: Print = console.log,
  complain: Print = console.error,
): Promise<number> {
  try {
    return await run(args, print);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`bench: ${error.message}`);
    return 2;
  }
}
