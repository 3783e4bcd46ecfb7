// What others say of a run: statements of runners who replayed it, and rulings where two of them disagreed, signed, a line each in `attestations.jsonl`. Who
// they are is decided by the reader's own list of keys: anybody may add a line.
import { append, exists, machine, readText } from "#files";
import { isSigned, type KeyPair, sign } from "#sign";
import { canonicalJson, toHex } from "../core/canonical.ts";
import { CheckpointError } from "../core/errors.ts";
import { ownValue } from "../core/keys.ts";
import { numericsId } from "../core/numerics.ts";
import type { ChainLink } from "../run/chain.ts";
import { readChain } from "../run/chainfile.ts";
import { isCount, isHash, isRecord, isText, listOf, maybe, shaped, tryJson } from "../run/fields.ts";
import { readManifest } from "../run/manifest.ts";
import type { Verification } from "../run/verification.ts";
import { requireRun } from "./folder.ts";

/** What a runner found of a run. */
export interface Attestation {
  readonly format: "seedgrad/attestation/1";
  readonly numericsId: string;
  /** The run's, as its folder has it, where the run is finished. */
  readonly digest?: string;
  /** Steps `from` + 1 to `to` were replayed. */
  readonly from: number;
  readonly to: number;
  /** The run's own link at step `to`, 64 hex digits: the statement is of the chain up to there. */
  readonly link: string;
  readonly verdict: Verification["verdict"];
  /** The first step whose link differs, and what differs. */
  readonly firstDifference?: number;
  readonly difference?: string;
  readonly engine: string;
  readonly processor: string;
  readonly backend: string;
  readonly threads: number;
}

/** What a third runner found where two disagreed: whose step is wrong, and at which op. */
export interface Ruling {
  readonly format: "seedgrad/ruling/1";
  readonly numericsId: string;
  /** The run's link at the step that the two disagreed of. */
  readonly link: string;
  readonly to: number;
  /** Where it went wrong: at that step or before it. */
  readonly step: number;
  /** `matmul`, `the kernel that gives parameter/0.weight`. */
  readonly what: string;
  /** Public keys. */
  readonly wrong: readonly string[];
}

/** By whom, and their word for it. */
interface Signed {
  readonly key: string;
  readonly signature: string;
}

export type Statement = (Attestation | Ruling) & Signed;

/** The name of the file in a run's folder. */
export const attestationsFile = "attestations.jsonl";

const messageOf = ({ signature: _, ...rest }: Partial<Signed>): Uint8Array =>
  new TextEncoder().encode(canonicalJson(rest));

/** Signs a statement. */
export function signed<T extends Attestation | Ruling>(statement: T, keys: KeyPair): T & Signed {
  const whole = { ...statement, key: keys.publicKey };
  return { ...whole, signature: sign(messageOf(whole), keys) };
}

/** What a verification of a run's folder says, for its runner to sign. */
export function attestationOf(folder: string, found: Verification): Attestation {
  const { digest } = readManifest(`${folder}/manifest.json`).result ?? {};
  const links = readChain(`${folder}/chain.bin`);
  const to = Math.min(found.from + found.steps, links.length);
  const { engine, cpu = "unknown", arch } = machine();
  const { verdict, firstDifference, difference, backend, threads } = found;
  return {
    format: "seedgrad/attestation/1",
    numericsId,
    ...(digest !== undefined && { digest }),
    from: found.from,
    to,
    link: linkAt(links, to) ?? "0".repeat(64),
    verdict,
    ...(firstDifference !== undefined && { firstDifference }),
    ...(difference !== undefined && { difference: difference.slice(0, 300) }),
    engine: String(engine),
    processor: `${cpu}, ${arch}`,
    backend,
    threads,
  };
}

const linkAt = (links: readonly ChainLink[], step: number): string | undefined =>
  links[step - 1] && toHex(links[step - 1].hash);

/** Adds a statement to those of a run. */
export function addStatement(folder: string, statement: Statement): void {
  addLines(folder, [canonicalJson(statement)]);
}

/** Adds those lines, statements from elsewhere, that a run hasn't. */
export function addMissing(folder: string, lines: readonly string[]): void {
  const path = `${folder}/${attestationsFile}`;
  const there = exists(path) ? readText(path, CheckpointError).split("\n") : [];
  addLines(
    folder,
    lines.filter((line) => !there.includes(line)),
  );
}

function addLines(folder: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  append(`${folder}/${attestationsFile}`, new TextEncoder().encode(`${lines.join("\n")}\n`), { flush: true });
}

const isVerdict = (value: unknown) => ["same", "same, stopped early", "different"].includes(value as string);
const common = {
  numericsId: isText,
  to: isCount,
  link: isHash,
  key: isHash,
  signature: (value: unknown) => isText(value) && /^[0-9a-f]{128}$/.test(value),
};
const isAttestation = shaped({
  ...common,
  digest: maybe(isText),
  from: isCount,
  verdict: isVerdict,
  firstDifference: maybe(isCount),
  difference: maybe(isText),
  engine: isText,
  processor: isText,
  backend: isText,
  threads: isCount,
});
const isRuling = shaped({ ...common, step: isCount, what: isText, wrong: listOf(isHash) });
/** What a line of each format holds. */
const forms = { "seedgrad/attestation/1": isAttestation, "seedgrad/ruling/1": isRuling };

/** The statements of a run, and the numbers of lines that hold none; none where there is no file. */
export function readStatements(folder: string): { readonly statements: Statement[]; readonly unread: number[] } {
  const path = `${folder}/${attestationsFile}`;
  const statements: Statement[] = [];
  const unread: number[] = [];
  if (!exists(path)) return { statements, unread };
  for (const [i, line] of readText(path, CheckpointError).split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = tryJson(line);
    const holds = isRecord(read) && isText(read.format) ? ownValue(forms, read.format) : undefined;
    if (holds?.(read)) statements.push(read as unknown as Statement);
    else unread.push(i + 1);
  }
  return { statements, unread };
}

/** Why a statement counts, or doesn't. */
export type Standing = "counts" | "bad signature" | "unknown key" | "another run" | "other numerics" | "doubtful";

/** A statement, and what it is worth to the reader. */
export interface Judged<T extends Attestation | Ruling = Attestation | Ruling> {
  readonly statement: T & Signed;
  /** Its signer's name in the reader's list; the beginning of the key where it isn't there. */
  readonly by: string;
  readonly standing: Standing;
  readonly why?: string;
}

/** Two that can't both be right. */
export interface Contradiction {
  /** The first step that they differ in; undefined where it is only the run's end. */
  readonly step?: number;
  readonly same: string;
  readonly different: string;
}

/** What all the statements of a run come to. */
export interface Attested {
  /** `confirmed`: replayed by somebody who counts, and nobody who counts found another thing; `disputed`: these disagree; `refuted`: all found it different. */
  readonly verdict: "confirmed" | "disputed" | "refuted" | "not attested";
  /** How many of the run's steps were replayed and found the same. */
  readonly steps: number;
  readonly of: number;
  readonly judged: readonly Judged[];
  readonly contradictions: readonly Contradiction[];
}

/** A run that statements are of. */
export interface AttestedRun {
  readonly folder: string;
  readonly links: readonly ChainLink[];
  readonly digest?: string;
  readonly statements: readonly Statement[];
}

/** Reads a run's folder with what is said of it. Throws ConfigError for a path that is no run's folder. */
export function readAttested(folder: string): AttestedRun & { readonly unread: readonly number[] } {
  requireRun(folder);
  const { result } = readManifest(`${folder}/manifest.json`);
  const links = readChain(`${folder}/chain.bin`);
  return { folder, links, digest: result?.digest, ...readStatements(folder) };
}

/** Judges what is said of runs. A ruling about one of them makes all that the runner found wrong said doubtful, of the others too. `trusted`: names by public key. */
export function judgeAttestations(runs: readonly AttestedRun[], trusted: ReadonlyMap<string, string>): Attested[] {
  const rulings = runs.flatMap((run) =>
    run.statements.flatMap((statement) =>
      isOfRuling(statement) && standingOf(statement, run, trusted) === "counts" ? [statement] : [],
    ),
  );
  const doubts = new Map<string, string>();
  for (const { key, wrong, step, what } of rulings)
    for (const runner of wrong)
      if (runner !== key) doubts.set(runner, `${trusted.get(key)} found it wrong at step ${step}: ${what}`);
  return runs.map((run) => attestedOf(run, trusted, doubts));
}

const isOfRuling = (statement: Statement): statement is Ruling & Signed => statement.format === "seedgrad/ruling/1";

function standingOf(statement: Statement, run: AttestedRun, trusted: ReadonlyMap<string, string>): Standing {
  const { key, signature, link, to } = statement;
  if (!isSigned(messageOf(statement), signature, key)) return "bad signature";
  if (!trusted.has(key)) return "unknown key";
  if (statement.numericsId !== numericsId) return "other numerics";
  const other = !isOfRuling(statement) && statement.digest !== undefined && statement.digest !== run.digest;
  return other || linkAt(run.links, to) !== link ? "another run" : "counts";
}

function attestedOf(
  run: AttestedRun,
  trusted: ReadonlyMap<string, string>,
  doubts: ReadonlyMap<string, string>,
): Attested {
  const judged = run.statements.map((statement): Judged => {
    const standing = standingOf(statement, run, trusted);
    const why = standing === "counts" ? doubts.get(statement.key) : undefined;
    const by = trusted.get(statement.key) ?? statement.key.slice(0, 16);
    return { statement, by, standing: why === undefined ? standing : "doubtful", ...(why !== undefined && { why }) };
  });
  const counting = judged.filter(
    (each): each is Judged<Attestation> => each.standing === "counts" && !isOfRuling(each.statement),
  );
  const same = counting.filter(({ statement }) => statement.verdict !== "different");
  const different = counting.filter(({ statement }) => statement.verdict === "different");
  const contradictions = different.flatMap((one) =>
    same.flatMap((other): Contradiction[] => {
      const step = one.statement.firstDifference;
      const { from, to } = other.statement;
      const meets = step === undefined ? to >= one.statement.to : from < step && step <= to;
      return meets ? [{ ...(step !== undefined && { step }), same: other.by, different: one.by }] : [];
    }),
  );
  const replayed = new Set<number>();
  for (const { statement } of same)
    for (let step = statement.from + 1; step <= statement.to; step++) replayed.add(step);
  const verdict =
    different.length > 0 ? (same.length > 0 ? "disputed" : "refuted") : same.length > 0 ? "confirmed" : "not attested";
  return { verdict, steps: replayed.size, of: run.links.length, judged, contradictions };
}
