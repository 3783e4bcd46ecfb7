// A headless Chromium for tests, where there is one: in CI there must be.
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

/** Whether browser tests are skipped here. Throws in CI. */
export const noChromium = executablePath === undefined;
if (noChromium && process.env.CI) throw new Error("no Chromium in CI: npm run setup:system installs it");
if (noChromium) console.warn("browser tests skipped: no Chromium here; npm run setup:system installs it");

/** WebGPU on SwiftShader, the driver in software that comes with it. */
// A shader that takes long to compile would make Chromium end the driver’s process.
const onSwiftShader = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--disable-gpu-watchdog"];

/** Starts it, without WebGPU unless that is asked for. The caller closes it. */
export function launchChromium({ webgpu = false } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--no-first-run",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
      ...(webgpu ? onSwiftShader : []),
    ],
  });
}
