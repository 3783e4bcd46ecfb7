// What a loop of one's own keeps: models, optimizers, variables and state on the host, by the loop's names. Together it is what a checkpoint and a digest hold.
import { isRecord, type Kind, kind } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { ConfigError } from "../core/errors.ts";
import { loadVariables } from "../nn/load.ts";
import { groupNumbers } from "../optim/groups.ts";
import { Optimizer } from "../optim/optimizer.ts";
import { readVariables, type Stateful, type Variable } from "../program/variable.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type Hyperparameter, hyperparameter } from "./manifest.ts";

/** State on the host that a run keeps: arrays by name. */
export interface HostState {
  save(): Readonly<Record<string, HostArray>>;
  load(arrays: Readonly<Record<string, HostArray>>): void;
}

/** What a recorder keeps: a model, an optimizer, a variable's owner, or state on the host. */
export type Kept = Stateful | HostState;

const isKept = (value: unknown): boolean => {
  const { namedVariables, save, load } = (value ?? {}) as Partial<Record<"namedVariables" | "save" | "load", unknown>>;
  return typeof namedVariables === "function" || (typeof save === "function" && typeof load === "function");
};

/** Things to keep, as an argument. */
export const keptKind: Kind = kind(
  "models, optimizers, variables, or { save, load }, by name",
  (value) => isRecord(value) && Object.values(value).every(isKept),
);

const hasVariables = (thing: Kept): thing is Stateful => "namedVariables" in thing;

/** All that is kept, as one owner of variables: two models may have one name for what they have, and are kept under two. */
export class KeptState implements Stateful {
  readonly #things = new Map<string, Kept>();

  get size(): number {
    return this.#things.size;
  }

  /** Throws ConfigError for a name that is taken. */
  add(things: Readonly<Record<string, Kept>>): void {
    for (const [name, thing] of Object.entries(things)) {
      if (this.#things.has(name)) throw new ConfigError({ where: "run.keep", problem: "kept already", got: name });
      this.#things.set(name, thing);
    }
  }

  /** Each variable once: by its model's name, before that of an optimizer that has it too. */
  namedVariables(): [string, Variable][] {
    const seen = new Set<Variable>();
    const things = [...this.#things].sort(
      ([, a], [, b]) => Number(a instanceof Optimizer) - Number(b instanceof Optimizer),
    );
    return things.flatMap(([name, thing]) => {
      if (!hasVariables(thing)) return [];
      return [...thing.namedVariables()].flatMap(([path, variable]): [string, Variable][] => {
        if (seen.has(variable)) return [];
        seen.add(variable);
        return [[`${name}/${path}`, variable]];
      });
    });
  }

  traceKey(): string {
    return this.#owners()
      .map((owner) => owner.traceKey?.() ?? "")
      .join();
  }

  pieces(): readonly unknown[] {
    return this.#owners().flatMap((owner) => owner.pieces?.() ?? [...owner.namedVariables()].flat());
  }

  #owners(): Stateful[] {
    return [...this.#things.values()].filter(hasVariables);
  }

  #optimizers(): [string, Optimizer][] {
    return [...this.#things].flatMap(([name, thing]): [string, Optimizer][] =>
      thing instanceof Optimizer ? [[name, thing]] : [],
    );
  }

  #host(): [string, HostState][] {
    return [...this.#things].flatMap(([name, thing]): [string, HostState][] =>
      hasVariables(thing) ? [] : [[name, thing]],
    );
  }

  /** All values on the host, by name. */
  async tensors(): Promise<[string, HostArray][]> {
    const tensors = await readVariables(this.namedVariables());
    for (const [name, thing] of this.#host()) {
      for (const [key, array] of Object.entries(thing.save())) tensors.push([`${name}/${key}`, array]);
    }
    return tensors;
  }

  /** Steps that each optimizer counts. */
  optimizerSteps(): Record<string, number> {
    return Object.fromEntries(this.#optimizers().map(([name, { steps }]) => [name, steps]));
  }

  /** The numbers of each optimizer's groups. */
  hyperparameters(): Record<string, Hyperparameter> {
    const numbers = this.#optimizers().flatMap(([name, { groups }]) =>
      groups.flatMap((group, i) =>
        Object.entries(groupNumbers(group)).map(
          ([key, value]) => [`${name}/groups/${i}/${key}`, hyperparameter(value)] as const,
        ),
      ),
    );
    return Object.fromEntries(numbers);
  }

  /** Takes over what a checkpoint holds. Throws CheckpointError where that isn't what is kept. */
  restore({ path, state, tensors }: Checkpoint): void {
    const host = this.#host();
    const isHost = (name: string) => host.some(([owner]) => name.startsWith(`${owner}/`));
    loadVariables(path, new Map([...tensors].filter(([name]) => !isHost(name))), this.namedVariables());
    for (const [owner, thing] of host) {
      const own = [...tensors].filter(([name]) => name.startsWith(`${owner}/`));
      thing.load(Object.fromEntries(own.map(([name, array]) => [name.slice(owner.length + 1), array])));
    }
    for (const [name, optimizer] of this.#optimizers()) optimizer.seek(state.optimizers?.[name] ?? 0);
  }
}
