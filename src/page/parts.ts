// The page's elements, by the ids that index.html gives them.

/** An element that index.html has. */
export function part<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** An element with a text. */
export function made(tag: string, text: string, data: Readonly<Record<string, string>> = {}): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  Object.assign(element.dataset, data);
  return element;
}

/** An error as a reader is told it. */
export function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
