// The public API, and nothing else.

export * as data from "./data/index.ts";
export * from "./engine.ts";
export type { Duration, RunLength } from "./optim/duration.ts";
export type { FactDifference } from "./run/facts.ts";
export { digestOfProof, type ProofPath, proveTensor, type TensorProof } from "./run/inclusion.ts";
export type { HostState, Kept } from "./run/kept.ts";
export { type Loop, recordRun } from "./run/record.ts";
export type { RunRecorder } from "./run/recorder.ts";
export type { RecordedRun, RecordedStep, RecordOptions } from "./run/recording.ts";
export type { Check, Finding, Verdict, Verification } from "./run/verification.ts";
export * from "./train/index.ts";
export { type Diff, type DiffOptions, diffReplay, diffRuns } from "./verify/diff.ts";
export { type JudgeOptions, type OpVerification, verifyOpProof } from "./verify/judgeop.ts";
export type { OpProof, ProvedValue } from "./verify/opproof.ts";
export {
  proveOp,
  type StepValue,
  type StepValues,
  stepValues,
  type ValueChoice,
} from "./verify/prove.ts";
export { verifyRecordedRun } from "./verify/recorded.ts";
export type { ProveOptions } from "./verify/restep.ts";
export { showDiff } from "./verify/show.ts";
export { buildTrainer, Trainer } from "./verify/trainer.ts";
export { type VerifyOptions, verifyConfig, verifyRun } from "./verify/verify.ts";
