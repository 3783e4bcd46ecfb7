// A Redis of a test's own, on a free loopback port and with an append-only file in a folder of its own: it can be killed and come back. Not the machine's service, which no test touches.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

function installed(): boolean {
  try {
    execFileSync("redis-server", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

/** Whether tests with Redis are skipped here. Throws in CI. */
export const noRedis = !installed();
if (noRedis && process.env.CI) throw new Error("no redis-server in CI: npm run setup:system installs it");
if (noRedis) console.warn("tests with Redis skipped: no redis-server here; npm run setup:system installs it");

export interface TestRedis {
  readonly address: string;
  /** Holds its append-only file. */
  readonly folder: string;
  /** Ends it as a power cut does, but for what the system has yet to write. */
  kill(): Promise<void>;
  /** Starts it anew, on the same port and files. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one; the caller stops it. */
export async function startRedis(password?: string): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), "seedgrad-redis-"));
  const port = await freePort();
  let server: ChildProcess;
  const restart = async () => {
    const options = { bind: "127.0.0.1", port, dir: folder, appendonly: "yes", appendfsync: "always", save: "" };
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    server = spawn("redis-server", [...words, ...(password ? ["--requirepass", password] : [])], { stdio: "ignore" });
    while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const kill = () =>
    new Promise<void>((resolve) => {
      server.once("exit", () => resolve());
      server.kill("SIGKILL");
    });
  await restart();
  return {
    address: `redis://127.0.0.1:${port}`,
    folder,
    kill,
    restart,
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port that nothing listens on now. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
