// `seedgrad/worker`: training and compiled programs in a worker, so that a page's own thread stays free. It holds handles, and none of the engine.

export type { Finding } from "../program/probe.ts";
export type { GivenFiles } from "./given.ts";
export { type Comparison, type ComparisonJob, diffInWorker, type VerificationJob, verifyInWorker } from "./judging.ts";
export type { TrainingEvents, TrainingProgress } from "./messages.ts";
export type { ProgramModule, TrainingModule, TrainingParts } from "./modules.ts";
export { probeInWorker } from "./probing.ts";
export { type ProgramOptions, startProgram, WorkerProgram } from "./program.ts";
export { startTraining, type TrainingJob, type WorkerRun, WorkerTraining } from "./training.ts";
