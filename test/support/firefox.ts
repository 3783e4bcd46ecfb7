// A headless Firefox for tests, where there is one. Nothing drives it: a page that it opens does its work and posts what came out.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where it is. */
export const firefoxPath = ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find(existsSync);

/** Whether its tests are skipped here. Throws in CI. */
export const noFirefox = firefoxPath === undefined;
if (noFirefox && process.env.CI) throw new Error("no Firefox in CI: npm run setup:system installs it");
if (noFirefox) console.warn("tests in Firefox skipped: it isn't here; npm run setup:system installs it");

/** Opens a page in a profile of its own. Gives what ends it. */
export function openInFirefox(url: string): () => void {
  const profile = mkdtempSync(join(tmpdir(), "seedgrad-firefox-"));
  const firefox = spawn(firefoxPath!, ["--headless", "--no-remote", "--profile", profile, url], { stdio: "ignore" });
  return () => {
    firefox.once("exit", () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
    firefox.kill();
  };
}
