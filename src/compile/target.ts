// What a schedule needs to know of where it will run; a backend states it.

export interface Target {
  /** Whether kernels may be changed and run together as long as they compute the same; else each is run as it is. */
  readonly groups: boolean;
  /** Whether every element takes 32 bits, one kept in 16 and a bool too. */
  readonly words: boolean;
  /** Elements that one vector holds: 1 without SIMD. */
  readonly lanes: number;
  /** Elements that neighbouring vectors compute together: 8 where the engine runs a pair of them as one; else as `lanes`. */
  readonly vectorWidth: number;
  /** Threads that may run a plan together. */
  readonly threads: number;
  /** Work from which a kernel is shared out, in elementary operations; less costs more in barriers than it gains. */
  readonly shareFrom: number;
  /** Bytes of a core's caches that data may fill: half of the first one, since streams and what they push out meet there. */
  readonly firstCache: number;
  readonly secondCache: number;
}

/** What runs a plan's kernels one after another, each as it is. */
export const plainTarget: Target = {
  groups: false,
  words: false,
  lanes: 1,
  vectorWidth: 1,
  threads: 1,
  shareFrom: 0,
  firstCache: 0,
  secondCache: 0,
};
