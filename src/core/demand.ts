// Modules that are imported when they are first asked for: a page doesn't wait for them.

/** Imports a module when it is first asked for. From then on it is at hand, and nothing waits. */
export function onDemand<M>(load: () => Promise<M>): () => M | Promise<M> {
  let loaded: M | undefined;
  return () =>
    loaded ??
    load().then((module) => {
      loaded = module;
      return module;
    });
}
