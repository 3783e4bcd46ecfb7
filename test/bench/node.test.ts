// `npm run bench -- --node 26` runs in that Node, and says so in its results.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { withoutNode } from "../../bench/node.ts";
import { cachedNode, nodePackage } from "../../tools/engines.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

describe("--node", () => {
  test("isn't handed on, in either form", () => {
    expect(withoutNode(["--filter", "a", "--node", "26", "--rounds", "2"])).toEqual(["--filter", "a", "--rounds", "2"]);
    expect(withoutNode(["--node=24", "--list"])).toEqual(["--list"]);
  });

  test("the package is this machine's, or another processor's for Linux", () => {
    expect(nodePackage("26.0.0").install).toContain(process.arch);
    expect(nodePackage("20.0.0", "s390x")).toEqual({
      install: "node-linux-s390x@20.0.0",
      binary: "node-linux-s390x/bin/node",
    });
  });

  const found = cachedNode("26");
  if ("missing" in found) console.log(`skipped: the bench in Node 26: ${found.missing}`);

  test.skipIf("missing" in found)("measures there", () => {
    const json = `${temporaryFolder()}/a.json`;
    const filter = ["--filter", "^exp-64k$", "--backend", "wasm", "--threads", "1", "--rounds", "1"];
    const args = ["node_modules/tsx/dist/cli.mjs", "bench/main.ts", "--node", "26", ...filter, "--json", json];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    expect([status, stderr]).toEqual([0, expect.not.stringContaining("Error")]);
    const { machine, rows } = JSON.parse(readFileSync(json, "utf8"));
    expect(machine.engine).toMatch(/^Node 26\./);
    expect(rows[0].case).toBe("exp-64k");
  });
});
