// The bench's command line.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import type { VectorWidth } from "../src/backend/wasm/width.ts";
import type { NodeMajor } from "../tools/engines.ts";
import { defaultThreads } from "./contestants.ts";
import { nodeMajor } from "./node.ts";
import { UsageError } from "./results.ts";

export const peerNames = ["pytorch", "tfjs", "jax-js", "gpu.js"] as const;
export type PeerName = (typeof peerNames)[number];

export interface Options {
  readonly help: boolean;
  readonly list: boolean;
  readonly filter: RegExp;
  readonly backends: readonly string[];
  readonly threads: readonly number[];
  readonly rounds?: number;
  readonly vectorWidth: VectorWidth;
  readonly node?: NodeMajor;
  readonly peers: readonly PeerName[];
  readonly neighbour: boolean;
  readonly from?: string;
  readonly json?: string;
  readonly html?: string;
  readonly markdown?: string;
  readonly beside?: string;
  readonly compare?: string;
}

export const help = `npm run bench -- [options]

Measures kernels, training steps and what surrounds them on each backend, with the bits of the result beside each time. Without options it
takes about three minutes.

  --filter REGEX      only cases whose name matches
  --backend B,…       backends, default wasm,reference,gpujs:webasm,gpujs:cpu; all but wasm run the small cases only
  --threads N,…       numbers of threads, default 1 and all cores
  --vector-width N    elements that wasm computes together: 4, 8 or auto (default), which is 8 where the engine can
  --rounds N          rounds instead of each case's own number
  --node N            in Node N instead of this one; npm run setup:system fetches Node 24 and 26
  --peers[=P,…]       also PyTorch, tfjs, jax-js and gpu.js (${peerNames.join(",")}), in the same rounds; prints ratios.
                      The JavaScript ones come with npm run bench:peers:install, PyTorch from the system's python3
  --neighbour         training steps alone and beside a process that spins on one core, in turns: what that costs.
                      On wasm; --filter, --threads and --rounds hold here too, --rounds 20 if left out
  --json FILE         writes {machine, rows, absent}
  --html FILE         writes one page with plots and table, for offline
  --markdown FILE     puts table and notes between the marks of FILE, and a plot beside it as .svg
  --beside FILE       an earlier --json, of another engine on this machine, that has a column in the --markdown tables
  --compare FILE      an earlier --json: exit code 1 where a case is slower beyond noise, or has other bits
  --from FILE         measures nothing and takes an earlier --json, for --html, --markdown and --compare
  --list              the cases
  --help              this

Exit codes: 0 ok; 1 slower than --compare says, bits that differ, or a backend that fails; 2 bad usage.
`;

function list<T>(name: string, text: string, read: (item: string) => T): T[] {
  const items = text.split(",").map((item) => item.trim());
  if (items.some((item) => item === "")) throw new UsageError(`--${name}: an empty item in "${text}"`);
  return [...new Set(items)].map(read);
}

function count(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < 1 || value > most)
    throw new UsageError(`--${name}: got ${text}, expected an integer in [1, ${most}]`);
  return value;
}

function expression(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}`);
  }
}

function writable(name: string, path: string | undefined): string | undefined {
  if (path !== undefined && !existsSync(dirname(path)))
    throw new UsageError(`--${name}: there is no folder ${dirname(path)}`);
  return path;
}

function peerOf(name: string): PeerName {
  const known = peerNames.find((peer) => peer === name);
  if (!known) throw new UsageError(`--peers: got ${name}, expected some of ${peerNames.join(", ")}`);
  return known;
}

function widthOf(text: string): VectorWidth {
  if (text === "auto") return text;
  if (text === "4" || text === "8") return Number(text) as 4 | 8;
  throw new UsageError(`--vector-width: got ${text}, expected 4, 8 or auto`);
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        list: { type: "boolean", default: false },
        filter: { type: "string" },
        backend: { type: "string", default: "wasm,reference,gpujs:webasm,gpujs:cpu" },
        threads: { type: "string" },
        rounds: { type: "string" },
        "vector-width": { type: "string", default: "auto" },
        node: { type: "string" },
        peers: { type: "boolean", default: false },
        neighbour: { type: "boolean", default: false },
        from: { type: "string" },
        json: { type: "string" },
        html: { type: "string" },
        markdown: { type: "string" },
        beside: { type: "string" },
        compare: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nnpm run bench -- --help lists the options`);
  }
}

/** Reads the command line. Throws UsageError. */
export function parseOptions(args: readonly string[]): Options {
  // `--peers` takes names or none, which parseArgs can't say.
  const named = args.find((arg) => arg.startsWith("--peers="));
  const values = read(args.map((arg) => (arg === named ? "--peers" : arg)));
  if (values.beside !== undefined && values.markdown === undefined)
    throw new UsageError("--beside: it has a column in the tables of --markdown FILE, which is missing");
  return {
    help: values.help,
    list: values.list,
    filter: expression(values.filter ?? (values.neighbour ? "^(mlp-small|mlp-large|cnn|gpt)$" : "")),
    backends: list("backend", values.backend, (name) => name),
    threads:
      values.threads === undefined ? defaultThreads() : list("threads", values.threads, (n) => count("threads", n, 64)),
    rounds: values.rounds === undefined ? undefined : count("rounds", values.rounds, 1000),
    vectorWidth: widthOf(values["vector-width"]),
    node: values.node === undefined ? undefined : nodeMajor(values.node),
    peers: named ? list("peers", named.slice("--peers=".length), peerOf) : values.peers ? [...peerNames] : [],
    neighbour: values.neighbour,
    from: values.from,
    json: writable("json", values.json),
    html: writable("html", values.html),
    markdown: writable("markdown", values.markdown),
    beside: values.beside,
    compare: values.compare,
  };
}
