// Lineage: the memory of a variable from one assignment outside of compiled functions to the next. Calls write their versions into it, one over
// another, in the order in which they were made. A program is told of the newest version it has asked for, whether that is in memory yet or not.
import type { Backend, Buffer } from "../compile/contract.ts";
import type { DType } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import * as creation from "../ops/creation.ts";
import type { Stored } from "../runtime/stored.ts";
import { hasValue, lend, overwrite, spoil } from "../runtime/values.ts";

/** What stood for the newest version before a call was made that writes the next. */
export interface Before {
  readonly leaf: Node | null;
  readonly rewritten: boolean;
}

export class Lineage implements Stored {
  readonly #type: { readonly shape: Shape; readonly dtype: DType };
  readonly #memory: { stored: Stored | null } = { stored: null };
  /** Until the first version is in memory: what computes it, and what stands for it. */
  #pending: { readonly first: Node; readonly version: Node } | null;
  /** The id of what stood for the first version. */
  #origin: number | undefined;
  /** Whether a call was made that writes a version after the first. */
  #rewritten = false;
  /** Stands for the newest version, made when first asked for. */
  #leaf: Node | null = null;
  /** Calls that were made and haven't run. */
  #calls = 0;
  /** Whether its variable was given another value since. */
  #retired = false;

  /** `version`: what stands for the first version until that is in memory, where gradients end there. */
  constructor(first: Node, version = first) {
    this.#type = { shape: first.shape, dtype: first.dtype };
    this.#pending = { first, version };
  }

  /** The newest version a program knows of. */
  get node(): Node {
    if (this.#pending && !this.#rewritten) return this.#pending.version;
    if (!this.#leaf) {
      this.#leaf = creation.variable(this.#type.shape, this.#type.dtype);
      lend(this.#leaf, this);
    }
    return this.#leaf;
  }

  /** The id of what stood for the newest version before it had memory: tensors made then are of it, or of what took its place since. */
  get origin(): number | undefined {
    return this.#rewritten ? undefined : this.#origin;
  }

  /** Where its memory is, once it is settled. */
  get backend(): Backend {
    return this.#memory.stored!.backend;
  }

  get buffer(): Buffer {
    return this.#memory.stored!.buffer;
  }

  /** Says that its variable was given another value: memory goes with the last call and the leaf that still need it. */
  retire(): void {
    this.#retired = true;
    this.#freeUnneeded();
  }

  /** A call was made that reads it. */
  hold(): void {
    this.#calls++;
  }

  /** Such a call has run, or won't. */
  letGo(): void {
    this.#calls--;
    if (this.#retired) this.#freeUnneeded();
  }

  #freeUnneeded(): void {
    const { stored } = this.#memory;
    if (this.#calls > 0 || this.#leaf || !stored) return;
    stored.backend.free(stored.buffer);
    this.#memory.stored = null;
  }

  /** A call was made that writes the next version. */
  rewrite(): Before | null {
    const before = this.#leaf || this.#pending ? { leaf: this.#leaf, rewritten: this.#rewritten } : null;
    this.#leaf = null;
    this.#rewritten = true;
    return before;
  }

  /** Such a call has run: what stood for the version before has no memory any more. */
  written(before: Before | null): void {
    if (before?.leaf) overwrite(before.leaf);
  }

  /** Such a call has failed, and all calls after it that were made on the lineage: the version before is the newest again. */
  restore(before: Before | null): void {
    if (this.#leaf) spoil(this.#leaf);
    this.#leaf = before?.leaf ?? null;
    if (before) this.#rewritten = before.rewritten;
  }

  /** Computes its first version: null where that is in memory. */
  get unsettled(): Node | null {
    const { first = null, version } = this.#pending ?? {};
    return version && hasValue(version) ? version : first;
  }

  /** Whether it has memory on the backend. */
  isOn(backend: Backend): boolean {
    return !this.#pending && this.#memory.stored?.backend === backend;
  }

  /** Takes memory that holds the version it has, in place of any it had. */
  settle(stored: Stored): void {
    const { stored: old } = this.#memory;
    if (old) old.backend.free(old.buffer);
    else memories.register(this, this.#memory);
    this.#memory.stored = stored;
    if (this.#pending) this.#origin = this.#pending.version.id;
    this.#pending = null;
    if (this.#retired) this.#freeUnneeded();
  }
}

const memories = new FinalizationRegistry<{ stored: Stored | null }>(({ stored }) =>
  stored?.backend.free(stored.buffer),
);
