// npm run lint:package: what npm would pack, read by publint and by @arethetypeswrong/cli. After `npm run build`.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = fileURLToPath(new URL("../", import.meta.url));

/** dist/package.json has `imports` of its own: engines and bundlers take those of the nearest package.json, and the root's are of the sources. test:package runs what depends on it. */
const isMeant = ({ code, path, args }) =>
  code === "NESTED_PACKAGE_JSON_FIELD_IGNORED" && JSON.stringify([path, args]).includes("imports");

const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const { messages } = await publint({ pkgDir: root, pack: "npm", strict: true });
const found = messages.filter((message) => !isMeant(message));
for (const message of found) console.error(`publint ${message.type}: ${formatMessage(message, manifest)}`);
const types = spawnSync("attw", ["--pack", root, "--profile", "esm-only", "--no-emoji"], { stdio: "inherit" });
process.exitCode = found.length > 0 || types.status !== 0 ? 1 : 0;
