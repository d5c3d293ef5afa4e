// Elements, made without a line of HTML: what records hold can only become text.

type Content = Node | string | null

type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>

/** An element; attributes that are null or false are left out. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  setAttributes(made, attributes)
  made.append(...content.filter((each) => each !== null))
  return made
}

/** An element of a drawing. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...content: readonly Content[]
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  setAttributes(made, attributes)
  made.append(...content.filter((each) => each !== null))
  return made
}

/** A button that does something. */
export function button(text: string, action: () => void, attributes: Attributes = {}): HTMLElement {
  const made = element('button', { type: 'button', ...attributes }, text)
  made.addEventListener('click', action)
  return made
}

/** A field with its label above it. */
export function field(label: string, control: HTMLElement, className = ''): HTMLElement {
  return element('label', { class: `field ${className}` }, element('span', {}, label), control)
}

/** A choice between texts. */
export function select(
  options: ReadonlyArray<readonly [value: string, label: string]>,
  attributes: Attributes = {},
): HTMLSelectElement {
  return element(
    'select',
    attributes,
    ...options.map(([value, label]) => element('option', { value }, label)),
  )
}

/** Replaces what is in an element. */
export function fill(parent: Element, ...content: readonly Content[]): void {
  parent.replaceChildren(...content.filter((each) => each !== null))
}

/** Names and values, one beside the other. */
export function facts(pairs: ReadonlyArray<readonly [name: string, value: Content]>): HTMLElement {
  const list = element('dl', { class: 'facts' })
  for (const [name, value] of pairs) {
    if (value === null) continue
    list.append(element('div', {}, element('dt', {}, name), element('dd', {}, value)))
  }
  return list
}

/** Says something to those who do not see the page. */
export function announce(text: string): void {
  const announcer = document.getElementById('announcer')
  if (announcer !== null) announcer.textContent = text
}

function setAttributes(made: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    made.setAttribute(name, value === true ? '' : String(value))
  }
}
