// The one clock of training: for what only informs (seconds, rates). Nothing that is computed may depend on it.

/** Seconds from an arbitrary beginning, never going back. */
export function now(): number {
  return performance.now() / 1000;
}

/** The time of day, for a manifest's information. */
export function timestamp(): string {
  return new Date().toISOString();
}
