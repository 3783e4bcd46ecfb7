// `seedgrad doctor`: each backend, its class, and what a probe of it found.
import { backendNames } from "../backend/load.ts";
import { findWidth } from "../backend/wasm/width.ts";
import { numericsId } from "../core/numerics.ts";
import { type Finding, findingOf, probe } from "../program/probe.ts";
import { certificateLines, classWords } from "../report/certificate.ts";
import { type Outcome, tableWhole } from "./command.ts";

/** Probes every backend. Exit code 1 when one of class A gives other bits than reference. */
export async function doctor(): Promise<Outcome> {
  const expected = (await probe("reference")).bits;
  const findings: Finding[] = [];
  for (const name of backendNames) findings.push(await findingOf(name, expected));
  const width = await findWidth();
  const wrong = findings.some((finding) => finding.class === "A" && !finding.ok);
  return {
    code: wrong ? 1 : 0,
    json: {
      numerics: numericsId,
      engine: process.version,
      platform: `${process.platform}-${process.arch}`,
      probe: expected,
      vectors: width,
      backends: findings,
    },
    lines: [
      `numerics ${numericsId} | Node ${process.version} | ${process.platform}-${process.arch} | probe ${expected.slice(0, 12)}`,
      ...tableWhole([
        ["backend", "class", "threads", "vectors", "probe"],
        ...findings.map(({ backend, class: kind, threads, vectorWidth, found }) => {
          return [backend, kind, String(threads), vectorWidth > 1 ? `of ${vectorWidth}` : "-", found];
        }),
      ]),
      ...findings.flatMap((finding) =>
        "certificate" in finding && finding.certificate ? certificateLines(finding.backend, finding.certificate) : [],
      ),
      `vectors of ${width.width}: ${width.reason}`,
      ...Object.entries(classWords)
        .filter(([name]) => findings.some(({ class: kind }) => kind === name))
        .map(([name, words]) => `class ${name}: ${words}`),
    ],
  };
}
