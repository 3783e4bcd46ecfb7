// A page in WebKitGTK for tests, where it is: driven through WebDriver by plain requests, on a display that shows nothing.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { freePort, noDisplay, startDisplay } from "./display.ts";

const driver = "/usr/bin/WebKitWebDriver";

/** Why there is none here. */
export const noWebKit =
  existsSync(driver) && !noDisplay
    ? undefined
    : "no WebKitGTK with a driver, or no Xvfb, here: npm run setup:system -- --engines installs them";

/** A page that works for long is still loading. */
const waiting = { pageLoadStrategy: "none" };

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
  const screen = await startDisplay();
  const env = { ...process.env, DISPLAY: screen.name, GDK_BACKEND: "x11" };
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
  const end = () => {
    browser.kill();
    screen.end();
  };
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
