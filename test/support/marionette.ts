// Firefox driven by Marionette, its own protocol, on a display that shows nothing: for what a page's scripts can't do, such as dropping a folder.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as later } from "node:timers/promises";
import { freePort, noDisplay, startDisplay } from "./display.ts";
import { firefoxPath } from "./firefox.ts";

/** Why it isn't here. Beside Firefox it takes a display. Throws in CI. */
export const noMarionette =
  firefoxPath && !noDisplay ? undefined : "no Firefox, or no Xvfb, here: npm run setup:system installs them";
if (noMarionette && process.env.CI) throw new Error(`in CI: ${noMarionette}`);

/** A Firefox with a page open. */
export interface Driven {
  /** What an asynchronous function's body gives in the page, or in the browser's own window. */
  run(where: "content" | "chrome", body: string, ...given: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Messages of the protocol: a length, a colon, and JSON. */
async function* messages(socket: Socket): AsyncGenerator<unknown> {
  let bytes = Buffer.alloc(0);
  for await (const part of socket) {
    bytes = Buffer.concat([bytes, part]);
    for (;;) {
      const colon = bytes.indexOf(":");
      const end = colon + 1 + Number(bytes.subarray(0, Math.max(0, colon)).toString());
      if (colon < 0 || bytes.length < end) break;
      yield JSON.parse(bytes.subarray(colon + 1, end).toString());
      bytes = bytes.subarray(end);
    }
  }
}

async function connected(port: number): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, "127.0.0.1");
    const failure = await new Promise<Error | undefined>((resolve) => {
      socket.once("connect", () => resolve(undefined));
      socket.once("error", resolve);
    });
    if (!failure) return socket;
    if (tries === 600) throw failure;
    await later(200);
  }
}

/** Opens a page. The caller closes it. */
export async function driveFirefox(url: string): Promise<Driven> {
  const [screen, port] = [await startDisplay(), await freePort()];
  const profile = mkdtempSync(join(tmpdir(), "seedgrad-firefox-"));
  writeFileSync(join(profile, "user.js"), `user_pref("marionette.port", ${port});\n`);
  const args = ["--no-remote", "--profile", profile, "--marionette", "--remote-allow-system-access"];
  const firefox = spawn(firefoxPath!, args, { stdio: "ignore", env: { ...process.env, DISPLAY: screen.name } });
  const ended = new Promise((resolve) => firefox.once("exit", resolve));
  const end = async () => {
    firefox.kill();
    await ended;
    screen.end();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const gone = ended.then(() => Promise.reject(new Error("Firefox ended before it could be driven")));
    const socket = await Promise.race([connected(port), gone]);
    const answers = messages(socket);
    await answers.next();
    let asked = 0;
    const call = async (name: string, options: object): Promise<unknown> => {
      const text = JSON.stringify([0, ++asked, name, options]);
      socket.write(`${Buffer.byteLength(text)}:${text}`);
      const { value } = await answers.next();
      const [, , error, result] = value as [number, number, { message: string } | null, { value: unknown }];
      if (error) throw new Error(`Firefox: ${name}: ${error.message}`);
      return result?.value;
    };
    await call("WebDriver:NewSession", { capabilities: {} });
    await call("WebDriver:SetTimeouts", { script: 180_000 });
    await call("WebDriver:Navigate", { url });
    return {
      async run(where, body, ...given) {
        await call("Marionette:SetContext", { value: where });
        const script = `const [given, done] = [[...arguments].slice(0, -1), arguments[arguments.length - 1]];
          (async () => { ${body} })().then((value) => done({ value }), (error) => done({ error: String(error) }));`;
        const { value, error } = (await call("WebDriver:ExecuteAsyncScript", {
          script,
          args: given,
        })) as {
          value: unknown;
          error?: string;
        };
        if (error !== undefined) throw new Error(`Firefox: ${error}`);
        return value;
      },
      async close() {
        socket.destroy();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Drops a file or a folder on an element, as the system hands it over: Firefox's own drag session, which goes to the page's process. */
export async function dropOn(firefox: Driven, selector: string, path: string): Promise<void> {
  const place = await firefox.run(
    "content",
    `const element = document.querySelector(given[0]);
     element.scrollIntoView({ block: "center" });
     const { left, top } = element.getBoundingClientRect();
     return [left + 5, top + 5];`,
    selector,
  );
  await firefox.run(
    "chrome",
    `const [[left, top], path] = given;
     const window = Services.wm.getMostRecentWindow("navigator:browser");
     const browser = window.gBrowser.selectedBrowser;
     const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
     file.initWithPath(path);
     const service = Cc["@mozilla.org/widget/dragservice;1"].getService(Ci.nsIDragService);
     service.startDragSessionForTests(window, Ci.nsIDragService.DRAGDROP_ACTION_COPY);
     const session = service.getCurrentSession(window);
     session.dataTransfer = new window.DataTransfer();
     session.dataTransfer.mozSetDataAt("application/x-moz-file", file, 0);
     const box = browser.getBoundingClientRect();
     const [x, y] = [box.left + left, box.top + top];
     // Where an event is sent to is taken from the screen's coordinates.
     const at = { clientX: x, clientY: y, screenX: window.mozInnerScreenX + x, screenY: window.mozInnerScreenY + y };
     for (const type of ["dragenter", "dragover", "dragover", "drop"]) {
       session.dragAction = Ci.nsIDragService.DRAGDROP_ACTION_COPY;
       const { dataTransfer } = session;
       const event = new window.DragEvent(type, { ...at, bubbles: true, cancelable: true, view: window, dataTransfer });
       window.windowUtils.dispatchDOMEventViaPresShellForTesting(browser, event);
       // Whether the page takes it is known once its process has answered.
       await new Promise((resolve) => window.setTimeout(resolve, 300));
     }
     session.endDragSession(true, 0);`,
    place,
    path,
  );
}
