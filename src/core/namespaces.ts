// Modules' namespaces put together into one. The types name the modules and copy no members, so that each member keeps the documentation of its
// declaration, in editors and in the built package's types.

type Joined<T extends readonly object[]> = T extends readonly [infer First, ...infer Rest extends readonly object[]]
  ? First & Joined<Rest>
  : unknown;

/** The members of all parts as one object; no two parts may have a name in common. */
export function joined<const T extends readonly object[]>(...parts: T): Joined<T> {
  return Object.assign({}, ...parts) as Joined<T>;
}

/** A namespace without the members named. */
export function without<T extends object, K extends keyof T>(namespace: T, ...names: K[]): Omit<T, K> {
  const left: Partial<T> = { ...namespace };
  for (const name of names) delete left[name];
  return left as Omit<T, K>;
}

/** The named members of a namespace. */
export function only<T extends object, K extends keyof T>(namespace: T, ...names: K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, namespace[name]])) as Pick<T, K>;
}
