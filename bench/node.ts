// `--node 26`: the same bench in another Node, one of those that .ci/setup-system fetches.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { cachedNode, isNodeMajor, type NodeMajor, nodeVersions } from "../tools/engines.ts";
import { UsageError } from "./results.ts";

/** Reads `--node`'s value. Throws UsageError where no such version is known. */
export function nodeMajor(text: string): NodeMajor {
  if (isNodeMajor(text)) return text;
  throw new UsageError(`--node: got ${text}, expected one of ${Object.keys(nodeVersions).join(", ")}`);
}

/** The arguments without `--node`. */
export function withoutNode(args: readonly string[]): string[] {
  return args.filter((arg, i) => arg !== "--node" && !arg.startsWith("--node=") && args[i - 1] !== "--node");
}

/** Runs the bench in a Node of that version: its exit code. Throws UsageError where it hasn't been fetched. */
export function benchInNode(major: NodeMajor, args: readonly string[]): number {
  const found = cachedNode(major);
  if ("missing" in found) throw new UsageError(`--node: ${found.missing}`);
  const tsx = createRequire(import.meta.url).resolve("tsx/cli");
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { status } = spawnSync(found.path, [tsx, main, ...withoutNode(args)], { stdio: "inherit" });
  return status ?? 1;
}
