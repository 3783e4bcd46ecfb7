// An engine whose flags aren't the program's to set: a browser's, or none that is known.

/** Why this engine can't run two neighbouring vectors as one. */
export function wideRefused(): string | undefined {
  return "the engine isn't Node";
}

/** Nothing: there is no such flag. */
export function runWide(_on: boolean): void {}

/** Nothing: there is no such flag. */
export function optimizeAtOnce(_on: boolean): void {}
