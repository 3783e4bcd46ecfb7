// The bench's command line: what it takes, and what it says to what it doesn't.
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bench as runBench } from "../../bench/bench.ts";
import { help, parseOptions } from "../../bench/options.ts";
import { machine, row } from "../support/bench.ts";
import { temporaryFolder } from "../support/folder.ts";

/** The exit code, and what was printed and complained of. */
async function bench(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const [printed, complaints]: [string[], string[]] = [[], []];
  const status = await runBench(
    args,
    (line) => printed.push(line),
    (line) => complaints.push(line),
  );
  return { status, stdout: printed.join("\n"), stderr: complaints.join("\n") };
}

test("all options", () => {
  const options = parseOptions(
    [
      "--filter",
      "^add",
      "--backend",
      "wasm,reference",
      "--threads=1,3",
      "--rounds",
      "5",
      "--peers=tfjs,pytorch",
    ].concat([
      "--json",
      "a.json",
      "--html",
      "a.html",
      "--markdown",
      "a.md",
      "--beside",
      "d.json",
      "--compare",
      "b.json",
      "--from",
      "c.json",
    ]),
  );
  expect(options).toMatchObject({
    filter: /^add/,
    backends: ["wasm", "reference"],
    threads: [1, 3],
    rounds: 5,
    peers: ["tfjs", "pytorch"],
    json: "a.json",
    html: "a.html",
    markdown: "a.md",
    beside: "d.json",
    compare: "b.json",
    from: "c.json",
  });
});

test("defaults: every backend, one thread and all cores, no peers; --peers alone takes all", () => {
  const options = parseOptions([]);
  expect(options.backends).toEqual(["wasm", "reference", "gpujs:webasm", "gpujs:cpu"]);
  expect(options.threads[0]).toBe(1);
  expect(options.peers).toEqual([]);
  expect(options.rounds).toBeUndefined();
  expect(parseOptions(["--peers"]).peers).toEqual(["pytorch", "tfjs", "jax-js", "gpu.js"]);
});

test.each([
  [["--fliter", "x"], /Unknown option '--fliter'.*\n.*--help/s],
  [["add-4m"], /Unexpected argument 'add-4m'/],
  [["--filter"], /argument missing/],
  [["--filter", "("], /--filter: Invalid regular expression/],
  [["--beside", "a.json"], /--beside: it has a column in the tables of --markdown FILE, which is missing/],
  [["--threads", "0"], /--threads: got 0, expected an integer in \[1, 64\]/],
  [["--threads", "1,,2"], /--threads: an empty item/],
  [["--threads", "two"], /--threads: got two/],
  [["--rounds", "1e3"], /--rounds: got 1e3/],
  [["--node", "21"], /--node: got 21, expected one of 20, 22, 24, 26/],
  [["--peers=jax"], /--peers: got jax, expected some of pytorch, tfjs, jax-js, gpu\.js/],
  [["--json", "no/such/folder/a.json"], /--json: there is no folder no\/such\/folder/],
])("%j is refused", (args, problem) => {
  expect(() => parseOptions(args)).toThrow(problem);
});

test("--help names every option", () => {
  for (const name of [
    "filter",
    "backend",
    "threads",
    "rounds",
    "node",
    "peers",
    "json",
    "html",
    "markdown",
    "beside",
    "compare",
    "from",
    "list",
    "help",
  ])
    expect(help).toContain(`--${name}`);
});

describe("the program", () => {
  test("prints help and ends with 0", async () => {
    const { status, stdout } = await bench("--help");
    expect([status, stdout]).toEqual([0, help]);
  });

  test("ends with 2 and one message for bad usage, before it measures", async () => {
    for (const [args, message] of [
      [["--backend", "wsm"], /^bench: .*did you mean wasm/s],
      [["--filter", "nothing-like-it"], /^bench: --filter: no case matches/],
      [["--compare", "missing.json"], /^bench: missing\.json: can't be read/],
    ] as const) {
      const { status, stderr, stdout } = await bench(...args);
      expect([status, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(message);
    }
  });

  test("measures, writes what --json says, and compares with it: same bits", async () => {
    const path = `${temporaryFolder()}/a.json`;
    const args = ["--filter", "^add-2k$", "--backend", "wasm,reference", "--threads", "1", "--rounds", "2"];
    await bench(...args, "--json", path);
    const { status, stdout } = await bench(...args, "--compare", path);
    // Times on a busy machine may say anything; bits may not.
    expect(stdout).not.toContain("other bits");
    expect(stdout).toContain("2 compared");
    expect([0, 1]).toContain(status);
  });

  test("ends with 1 where --compare finds a slower row", async () => {
    const folder = temporaryFolder();
    const write = (name: string, ms: number) => {
      const slow = row({ median_ms: ms, min_ms: ms, quartiles_ms: [ms, ms] });
      writeFileSync(`${folder}/${name}`, JSON.stringify({ machine, rows: [slow], absent: [] }));
      return `${folder}/${name}`;
    };
    const [fast, slow] = [write("fast.json", 1), write("slow.json", 2)];
    expect((await bench("--from", slow, "--compare", fast)).status).toBe(1);
    expect((await bench("--from", fast, "--compare", slow)).status).toBe(0);
  });
});

test("--neighbour measures training steps unless a filter names others, and runs a case beside it", async () => {
  const steps = parseOptions(["--neighbour"]);
  expect([steps.neighbour, steps.filter.test("mlp-small"), steps.filter.test("add-64k")]).toEqual([true, true, false]);
  expect(parseOptions(["--neighbour", "--filter", "^add"]).filter).toEqual(/^add/);
  expect(parseOptions([]).neighbour).toBe(false);
  const { status, stdout } = await bench("--neighbour", "--filter", "^mlp-small$", "--threads", "1", "--rounds", "2");
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /\nmlp-small +wasm +1 +[\d.e+-]+ \([\d.e+-]+\) +[\d.e+-]+ \([\d.e+-]+\) +\d+\.\d\d × \(\d+\.\d\d\)/,
  );
  expect((await bench("--neighbour", "--filter", "^nothing$")).status).not.toBe(0);
});
