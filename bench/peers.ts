// The peers as contestants: processes that live as long as the bench and measure one round at a command, so that their rounds alternate with ours.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Contestant, Entrant } from "./harness.ts";
import type { PeerName } from "./options.ts";

const folder = fileURLToPath(new URL("peers/", import.meta.url));

/** How long an answer may take, in ms. */
const patience = 180_000;

interface Launch {
  readonly name: string;
  readonly threads: number;
  readonly slow: boolean;
  readonly rest: number;
  readonly command: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

interface Answer {
  readonly version?: string;
  readonly ms?: number;
  readonly bits?: string;
  readonly cannot?: string;
  readonly error?: string;
}

/** A peer's process: one question at a time. */
class PeerProcess {
  readonly #child: ChildProcess;
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #ended: string | undefined;
  #noise = "";

  constructor({ command: [program, ...args], environment }: Launch) {
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: environment ?? process.env });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      if (!line.startsWith("@")) return;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(JSON.parse(line.slice(1)));
    });
    this.#child.stderr!.on("data", (text) => {
      this.#noise = `${this.#noise}${text}`.slice(-2000);
    });
    this.#child.stdin!.on("error", () => undefined);
    this.#child.on("error", (error) => this.#end(error.message));
    this.#child.on("exit", (code, signal) => this.#end(`its process ended (${signal ?? code}): ${this.#lastNoise()}`));
  }

  #lastNoise(): string {
    return this.#noise.trim().split("\n").at(-1) ?? "";
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#waiting?.reject(new Error(this.#ended));
    this.#waiting = undefined;
  }

  /** The next line it says. Throws when it has ended, says an error, or takes too long. */
  async hear(): Promise<Answer> {
    if (this.#ended !== undefined) throw new Error(this.#ended);
    const late = setTimeout(() => {
      this.#end(`no answer in ${patience / 1000} s`);
      this.#child.kill();
    }, patience);
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    } finally {
      clearTimeout(late);
    }
  }

  ask(question: object): Promise<Answer> {
    if (this.#ended === undefined) this.#child.stdin!.write(`${JSON.stringify(question)}\n`);
    return this.hear();
  }

  stop(): void {
    this.#child.stdin!.end();
    this.#child.kill();
  }
}

function contestantOf({ name, threads, slow, rest }: Launch, peer: string, child: PeerProcess): Contestant {
  return {
    name,
    threads,
    peer,
    slow,
    rest,
    async prepare({ workload }) {
      const { cannot } = await child.ask({ do: "prepare", workload });
      if (cannot !== undefined) return { cannot };
      const entrant: Entrant = {
        sample: async (calls) => (await child.ask({ do: "run", calls })).ms!,
        bits: async () => (await child.ask({ do: "bits" })).bits!,
        dispose: async () => {
          await child.ask({ do: "release" });
        },
      };
      return entrant;
    },
  };
}

/** Python with torch: SEEDGRAD_BENCH_PYTHON, python3 of the path, or the system's. */
function findPython(): string | undefined {
  const candidates = [process.env.SEEDGRAD_BENCH_PYTHON, "python3", "/usr/bin/python3"];
  return candidates.find(
    (python) => python && spawnSync(python, ["-c", "import torch, numpy"], { stdio: "ignore" }).status === 0,
  );
}

function torchLaunches(): Launch[] | string {
  const python = findPython();
  if (!python) return "no python3 with torch: on Debian, apt-get install python3-torch libopenblas0-pthread";
  const cores = availableParallelism();
  const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _cache, ...environment } = process.env;
  const counts = [
    [1, 1],
    [1, cores],
    [cores, cores],
  ];
  return [...new Map(counts.map((pair) => [pair.join("/"), pair]))].map(([text, [torch, blas]]) => ({
    name: `pytorch:${text}`,
    threads: Math.max(torch, blas),
    slow: false,
    // Its threads spin for tens of milliseconds after their last work.
    rest: Math.max(torch, blas) > 1 ? 160 : 5,
    command: [python, `${folder}torch_peer.py`, String(torch), String(blas)],
    environment,
  }));
}

function nodeLaunches(peer: Exclude<PeerName, "pytorch">): Launch[] | string {
  const [script, needed, modes] = (
    {
      tfjs: ["tfjs", "@tensorflow/tfjs-core", ["wasm", "cpu"]],
      "jax-js": ["jax", "@jax-js/jax", ["wasm"]],
      "gpu.js": ["gpujs", "", ["webasm", "cpu"]],
    } as const
  )[peer];
  if (needed !== "" && !existsSync(`${folder}node_modules/${needed}`))
    return "not installed: npm run bench:peers:install";
  return modes.map((mode) => ({
    name: `${peer}:${mode}`,
    threads: 1,
    slow: mode === "cpu" || mode === "webasm",
    rest: 2,
    command: [process.execPath, "--import", "tsx", `${folder}${script}.ts`, mode],
  }));
}

/** Starts the peers that are here; who isn't, with the reason, comes in `missing`. */
export async function startPeers(names: readonly PeerName[]): Promise<{
  readonly contestants: Contestant[];
  readonly missing: { readonly backend: string; readonly reason: string }[];
  stop(): void;
}> {
  const missing: { backend: string; reason: string }[] = [];
  const launches = names.flatMap((name) => {
    const found = name === "pytorch" ? torchLaunches() : nodeLaunches(name);
    if (typeof found !== "string") return found;
    missing.push({ backend: name, reason: found });
    return [];
  });
  const children: PeerProcess[] = [];
  const started = launches.map(async (launch) => {
    const child = new PeerProcess(launch);
    children.push(child);
    try {
      const { version } = await child.hear();
      return contestantOf(launch, version!, child);
    } catch (error) {
      missing.push({ backend: launch.name, reason: (error as Error).message });
      return undefined;
    }
  });
  const contestants = (await Promise.all(started)).filter((contestant) => contestant !== undefined);
  return {
    contestants,
    missing,
    stop: () => {
      for (const child of children) child.stop();
    },
  };
}
