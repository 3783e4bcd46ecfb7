// The callbacks that there are, beside what anyone writes.
export { CheckLoss } from "./check-loss.ts";
export { EarlyStopping, type EarlyStoppingOptions } from "./early-stopping.ts";
export { LoadCheckpointStates, type LoadCheckpointStatesOptions } from "./load-checkpoint-states.ts";
export type { MonitorOptions } from "./monitor.ts";
