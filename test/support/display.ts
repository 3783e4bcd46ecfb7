// A display that shows nothing, for browsers that do less without one; and a port for what drives them.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import type { Readable } from "node:stream";

const server = "/usr/bin/Xvfb";

/** Whether there is none here. */
export const noDisplay = !existsSync(server);

/** Starts one: its name, and what ends it. */
export async function startDisplay(): Promise<{ readonly name: string; readonly end: () => void }> {
  const screen = spawn(server, ["-displayfd", "3", "-screen", "0", "1100x900x24"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const number = await new Promise<string>((resolve, reject) => {
    let said = "";
    // Whole once its line has ended: a pipe that is closed before ends the server.
    (screen.stdio[3] as Readable).on("data", (part) => {
      said += part;
      if (said.endsWith("\n")) resolve(said.trim());
    });
    screen.once("error", reject);
    screen.once("exit", () => reject(new Error(`${server} ended before it had a display`)));
  });
  return { name: `:${number}`, end: () => void screen.kill() };
}

/** A port that was free just now. */
export function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  return new Promise((resolve) =>
    server.once("listening", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    }),
  );
}
