// WebGPU in Node on SwiftShader, the Vulkan driver in software that comes with Chromium. Importing this chooses it for the process, unless VK_ICD_FILENAMES
// names another driver; in CI one must be there.
import { existsSync, readdirSync } from "node:fs";

const driver = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"]
  .map((folder) => `${folder}/vk_swiftshader_icd.json`)
  .find(existsSync);
const hasLoader = ["/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].some(
  (folder) => existsSync(folder) && readdirSync(folder).includes("libvulkan.so.1"),
);
if (driver) process.env.VK_ICD_FILENAMES ??= driver;

/** Whether tests of WebGPU in Node are skipped here. Throws in CI. */
export const noWebgpu = process.env.VK_ICD_FILENAMES === undefined || !hasLoader;
if (noWebgpu) {
  const missing = `${hasLoader ? "no Chromium with SwiftShader" : "no libvulkan.so.1"} here: npm run setup:system installs it`;
  if (process.env.CI) throw new Error(missing);
  console.warn(`tests of WebGPU skipped: ${missing}`);
}
