// docs/proof.md followed by hand: its commands one after another, and what they print is what the page shows.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { call } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const page = readFileSync(`${root}docs/proof.md`, "utf8");
const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  lines: text.trimEnd().split("\n"),
}));

test("every command gives what is shown below it", async () => {
  const folder = scratch();
  const place = (text: string) => text.replaceAll("runs/", `${folder}/`);
  let printed = "";
  let shown = 0;
  for (const { language, lines } of blocks) {
    if (language === "sh") {
      for (const line of lines) {
        const [, rest] = line.match(/^npm run seedgrad -- (.*)$/)!;
        const run = await call(place(rest).split(" "));
        expect(run.code, line + run.stderr).toBe(rest.startsWith("diff") ? 1 : 0);
        printed = run.stdout;
      }
    } else if (language === "") {
      shown++;
      const found = printed.split("\n");
      let at = 0;
      for (const line of lines) {
        const [start, open] = line.split("…");
        const next = found.findIndex(
          (candidate, i) =>
            i >= at && (open === undefined ? candidate === place(line) : candidate.startsWith(place(start))),
        );
        expect(next, `${line}\nin\n${printed}`).toBeGreaterThanOrEqual(at);
        at = next + 1;
      }
    }
  }
  expect(shown).toBe(4);
  expect(existsSync(join(folder, "graph.html"))).toBe(true);
}, 120_000);
