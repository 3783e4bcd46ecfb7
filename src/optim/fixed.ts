// What an optimizer is made with is part of the steps that were traced: an assignment that no step would heed is an error, in plain JavaScript too.
import { ConfigError, showValue } from "../core/errors.ts";

const ofGroups = "for (const group of optimizer.groups) group.learningRate = 0.01, or schedules";
const hints: Readonly<Record<string, string>> = {
  learningRate: ofGroups,
  lr: ofGroups,
  weightDecay: ofGroups,
  steps: "leave it out; to go on from a checkpoint: optimizer.seek(steps)",
};

/** The error for an assignment to a field that is fixed, or that there isn't. */
function fixedField(where: string, field: string | symbol, value: unknown): ConfigError {
  const name = String(field);
  return new ConfigError({
    where: `${where}.${name}`,
    problem:
      name === "steps"
        ? "steps are counted by update"
        : "what an optimizer is made with stays as it is: no step would heed this",
    got: `an assignment of ${showValue(value)}`,
    expected: "learningRate and weightDecay of its groups alone to change",
    hint: Object.hasOwn(hints, name)
      ? hints[name]
      : "make a new optimizer with it; a class of one's own declares its fields, or has them #private",
  });
}

/** Lets a record's `changeable` fields be set, where `check` lets their values pass, and refuses every other assignment. */
export function fixedBut<T extends object>(
  where: string,
  record: T,
  changeable: readonly (keyof T & string)[],
  check: (field: string, value: never) => void,
): T {
  const refuse = (_: T, field: string | symbol, value?: unknown): never => {
    throw fixedField(where, field, value);
  };
  return new Proxy(record, {
    set(target, field, value) {
      if (!(changeable as readonly unknown[]).includes(field)) return refuse(target, field, value);
      check(field as string, value as never);
      target[field as keyof T] = value;
      return true;
    },
    defineProperty: refuse,
    deleteProperty: refuse,
  });
}

/** Refuses assignments to what only reads in a class, and to fields that none of its instances declares. */
export function fixInstances(prototype: object, whereOf: (instance: object) => string): void {
  for (const [field, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (!get || set) continue;
    Object.defineProperty(prototype, field, {
      set(this: object, value: unknown) {
        throw fixedField(whereOf(this), field, value);
      },
    });
  }
  const last = new Proxy(Object.create(Object.prototype) as object, {
    set(_, field, value, receiver) {
      throw fixedField(whereOf(receiver as object), field, value);
    },
  });
  Object.setPrototypeOf(prototype, last);
}
