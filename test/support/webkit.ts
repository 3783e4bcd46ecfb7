// A page in WebKitGTK for tests, where it is: driven through WebDriver by plain requests, on a display that shows nothing.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import type { Readable } from "node:stream";

const [driver, display] = ["/usr/bin/WebKitWebDriver", "/usr/bin/Xvfb"];

/** Why there is none here. */
export const noWebKit = [driver, display].every(existsSync)
  ? undefined
  : "no WebKitGTK with a driver, or no Xvfb, here: npm run setup:system -- --engines installs them";

/** A page that works for long is still loading. */
const waiting = { pageLoadStrategy: "none" };

/** A port that was free just now. */
function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  return new Promise((resolve) =>
    server.once("listening", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    }),
  );
}

/** A started display's name. */
async function displayOf(server: ChildProcess): Promise<string> {
  for await (const number of server.stdio[3] as Readable) return `:${String(number).trim()}`;
  throw new Error(`${display} ended before it had a display`);
}

interface Opened {
  readonly version: string;
  readonly close: () => Promise<void>;
}

/** Opens a page. Gives the browser's version and what ends it. The driver sometimes never answers on a busy machine: another one is asked. */
export async function openInWebKit(url: string): Promise<Opened> {
  for (let tries = 1; ; tries++) {
    const opened = await open(url).catch((error: Error) => error);
    if (!(opened instanceof Error)) return opened;
    if (tries === 3) throw opened;
  }
}

async function open(url: string): Promise<Opened> {
  const screen = spawn(display, ["-displayfd", "3", "-screen", "0", "1100x900x24"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const env = { ...process.env, DISPLAY: await displayOf(screen), GDK_BACKEND: "x11" };
  const port = await freePort();
  const browser = spawn(driver, [`--port=${port}`], { stdio: "ignore", env });
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const { value } = (await response.json()) as {
      value: { sessionId: string; capabilities: { browserVersion: string } };
    };
    if (!response.ok) throw new Error(`WebKitWebDriver ${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  };
  const end = () => [browser, screen].forEach((process) => process.kill());
  try {
    for (let tries = 0; ; tries++) {
      const ready = await call("GET", "/status").catch((error: Error) => error);
      if (!(ready instanceof Error)) break;
      if (tries === 100) throw ready;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { sessionId, capabilities } = await call("POST", "/session", { capabilities: { alwaysMatch: waiting } });
    await call("POST", `/session/${sessionId}/url`, { url });
    const close = async () => {
      await call("DELETE", `/session/${sessionId}`).finally(end);
    };
    return { version: capabilities.browserVersion, close };
  } catch (error) {
    end();
    throw error;
  }
}
