// How a run ended, as its number: what the module gives, and JavaScript reads.

/** What `run` gives. */
export const outcome = { done: 0, failed: 1, paused: 2 } as const;
