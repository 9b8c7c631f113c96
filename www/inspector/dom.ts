/** A child of an element; an empty value is left out. */
export type Child = Node | string | false | null | undefined;

type Attribute = string | number | boolean | null | undefined | ((event: Event) => void);

/**
 * Makes an element. Text is inserted as text, never as markup. A function under a name such as `onclick` is added as a
 * listener, `true` sets an attribute without a value, and false, null and undefined are left out.
 */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  fill(element, ...children);
  return element;
}

/** Makes an SVG element. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | number> = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  fill(element, ...children);
  return element;
}

/** Replaces the contents of an element. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => isThere(child)));
}

const isThere = (child: Child): boolean => child !== false && child !== null && child !== undefined && child !== '';

/** Makes these elements an element's children, in this order. Those already there stay untouched and keep the focus. */
export function arrange(parent: Element, children: readonly Element[]): void {
  const kept = new Set(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  for (const [at, child] of children.entries()) {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  }
}

/** Reuses the elements of a list for as long as each shows the same. */
export class Kept<Item> {
  readonly #make: (item: Item) => HTMLElement;
  readonly #name: (item: Item) => string | number;
  #elements = new Map<string | number, { readonly shows: string; readonly element: HTMLElement }>();

  constructor(name: (item: Item) => string | number, make: (item: Item) => HTMLElement) {
    this.#name = name;
    this.#make = make;
  }

  /** The elements of these items. Those of all other items are dropped. */
  elements(items: readonly Item[]): HTMLElement[] {
    const before = this.#elements;
    this.#elements = new Map(
      items.map((item) => {
        const name = this.#name(item);
        const shows = JSON.stringify(item);
        const known = before.get(name);
        return [name, known?.shows === shows ? known : { shows, element: this.#make(item) }];
      }),
    );
    return [...this.#elements.values()].map(({ element }) => element);
  }
}

/** The element with this id, which index.html must have. */
export function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} #${id}.`);
  return element;
}

/** Debounces a function: it runs once no call has come for this long. */
export function settled(call: () => void, milliseconds: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds);
  };
}

/** Ignores further presses of a button while its work runs. */
export async function busy(button: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  try {
    await work();
  } finally {
    button.removeAttribute('aria-busy');
  }
}
