// What a schedule needs to know of where it will run; a backend states it.

export interface Target {
  /** Elements that one vector holds: 1 without SIMD. */
  readonly lanes: number;
  /** Whether several threads may run a plan together. */
  readonly isShared: boolean;
  /** Work from which a kernel is shared out, in elementary operations; less costs more in barriers than it gains. */
  readonly shareFrom: number;
  /** Bytes of a core's caches that data may fill. */
  readonly firstCache: number;
  readonly secondCache: number;
}
