// `seedgrad keys new FILE` and `seedgrad attestations RUN… --trusted FILE`: a runner's pair of keys, and what the signed statements of runs are worth to whoever trusts some of the runners.
import {
  type Attestation,
  attestationsFile,
  type Judged,
  judgeAttestations,
  type Ruling,
  readAttested,
} from "../verify/attestation.ts";
import { newKeys, readTrusted } from "../verify/keys.ts";
import { type Outcome, table } from "./command.ts";

/** Makes a pair of keys; shows the public one. */
export async function makeKeyFile(path: string): Promise<Outcome> {
  const publicKey = newKeys(path);
  return {
    code: 0,
    json: { path, publicKey },
    lines: [
      `public key  ${publicKey}`,
      `The private one is in ${path}: keep it to yourself. Others add the public one, and a name, to their list.`,
    ],
  };
}

/** The flags of `attestations`. */
export interface AttestationFlags {
  /** The file of public keys that count. */
  readonly trusted: string;
  readonly json?: boolean;
}

/** Judges the statements of runs. Exit code 1 unless each run is confirmed. */
export async function attestations(folders: readonly string[], { trusted: file }: AttestationFlags): Promise<Outcome> {
  const trusted = readTrusted(file);
  const runs = folders.map(readAttested);
  const found = judgeAttestations(runs, trusted);
  const lines = found.flatMap(({ verdict, steps, of, judged, contradictions }, i) => [
    `${runs[i].folder}: ${verdict}${verdict === "not attested" ? unattested(judged, file) : `, ${steps} of ${of} steps replayed and the same`}`,
    ...(judged.length === 0 ? [] : table(judged.map(rowOf)).map((line) => `  ${line}`)),
    ...contradictions.map(
      ({ step, same, different }) =>
        `  contradiction${step === undefined ? "" : ` at step ${step}`}: ${same} found it the same, ${different} found it different`,
    ),
    ...(runs[i].unread.length === 0 ? [] : [`  lines that hold no statement: ${runs[i].unread.join(", ")}`]),
  ]);
  const json = found.map((each, i) => ({ folder: runs[i].folder, ...each, unread: runs[i].unread }));
  return { code: found.every(({ verdict }) => verdict === "confirmed") ? 0 : 1, json: { runs: json }, lines };
}

/** Why nothing is known of a run. */
const unattested = (judged: readonly Judged[], trusted: string): string =>
  judged.length === 0
    ? `: there is no statement about it in ${attestationsFile}`
    : `: of what is signed nothing counts by ${trusted}`;

function rowOf({ statement, by, standing, why }: Judged): string[] {
  const worth = why === undefined ? standing : `${standing}: ${why}`;
  if (statement.format === "seedgrad/ruling/1") {
    const { step, what, wrong } = statement as Ruling;
    return [by, `ruling: step ${step}, ${what}: wrong ${wrong.map((key) => key.slice(0, 16)).join(", ")}`, "", worth];
  }
  const { verdict, from, to, firstDifference, backend, threads, engine } = statement as Attestation;
  const at = firstDifference === undefined ? "" : ` at step ${firstDifference}`;
  const where = `${backend}, ${threads} thread${threads === 1 ? "" : "s"}, ${engine}`;
  return [by, `${verdict}${at}, steps ${from + 1} to ${to}`, where, worth];
}
