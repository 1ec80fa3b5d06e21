// Every node of the page is made here. Data becomes text nodes and attribute values, never markup.

const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';

// `name` may carry fixed classes, as in 'p.hr-note'. Options: on = listeners by event name, vars = CSS custom
// properties; anything else is an attribute.
/**
 * @template {string} Name
 * @param {Name} name
 * @param {Page.Options} [options]
 * @param {...Page.Child} children
 * @returns {Page.ElementOf<Name>}
 */
export function el(name, options = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  return furnish(document.createElement(tag), classes, options, children);
}

/**
 * @param {string} name
 * @param {Page.Options} [options]
 * @param {...Page.Child} children
 * @returns {SVGElement}
 */
export function svg(name, options = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  return furnish(document.createElementNS(SVG_NAMESPACE, tag), classes, options, children);
}

/**
 * @param {HTMLElement | SVGElement} node
 * @param {string[]} classes
 * @param {Page.Options} options
 * @param {Page.Child[]} children
 * @returns {any}
 */
function furnish(node, classes, { on = {}, vars = {}, ...attributes }, children) {
  if (classes.length > 0) node.setAttribute('class', classes.join(' '));
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? '' : String(value));
    }
  }
  for (const [name, value] of Object.entries(vars)) node.style.setProperty(name, String(value));
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  append(node, children);
  return node;
}

// Nested lists are flattened; null and false leave no trace, so conditions can stand inline.
/**
 * @param {Element | DocumentFragment} node
 * @param {Page.Child} children
 */
export function append(node, children) {
  if (Array.isArray(children)) {
    for (const child of children) append(node, child);
  } else if (children instanceof Node) node.append(children);
  else if (children !== null && children !== undefined && children !== false) node.append(...texts(node, spelt(String(children))));
}

const RIGHT_TO_LEFT = /([\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+(?:[ ]+[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+)*)/;

// Words that run from right to left stand apart, so that quotes, signs and names beside them keep their order.
/**
 * @param {Element | DocumentFragment} node
 * @param {string} text
 * @returns {(string | Node)[]}
 */
function texts(node, text) {
  if ((node instanceof Element && (node.namespaceURI === SVG_NAMESPACE || NO_ELEMENTS.has(node.localName))) || !RIGHT_TO_LEFT.test(text)) return [text];
  return text.split(RIGHT_TO_LEFT).map((part, index) => (index % 2 ? el('bdi', {}, part) : part));
}

const NO_ELEMENTS = new Set(['bdi', 'option', 'textarea', 'title']);

const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

// Characters that hide or reorder text are spelt out, so that what is read is what is there.
/** @param {string} text */
export function spelt(text) {
  return text.replace(HIDDEN, (character) => `\\u${character.codePointAt(0)?.toString(16).padStart(4, '0')}`);
}

/**
 * @param {Element} node
 * @param {...Page.Child} children
 */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

// Builds the body of a <details> the first time it opens: hidden bodies cost nothing.
/**
 * @param {Page.Options} options
 * @param {Page.Child} summary
 * @param {() => Page.Child} build
 * @param {boolean} [open]
 */
export function lazyDetails(options, summary, build, open = false) {
  let built = false;
  const mount = () => {
    if (built) return;
    built = true;
    append(node, [build()]);
  };
  // a browser tells of the opening a little later
  const node = el('details', options, el('summary', { on: { click: mount } }, summary));
  node.addEventListener('toggle', () => node.open && mount());
  if (open) {
    node.open = true;
    mount();
  }
  return node;
}

/**
 * @param {Page.Child} label
 * @param {(event: MouseEvent) => unknown} click
 * @param {Page.Options} [attributes]
 */
export function button(label, click, attributes = {}) {
  return el('button', { type: 'button', class: 'hr-link-button', ...attributes, on: { click } }, label);
}

// Names and what they stand for; a pair without a value is left out.
/**
 * @param {[string, Page.Child][]} pairs
 * @param {string} [name]
 */
export function factList(pairs, name = 'dl.hr-facts-list') {
  const known = pairs.filter(([, value]) => value);
  return known.length > 0 && el(name, {}, known.map(([title, value]) => [el('dt', {}, title), el('dd', {}, value)]));
}

// Whatever the data calls itself, a browser is to keep it and not to open it; `body` is what stands behind its type.
/**
 * @param {string} body
 * @param {string} name
 */
export function saveLink(body, name) {
  return el('a.hr-link-button.hr-no-print', { href: `data:application/octet-stream${body}`, download: name }, 'Save');
}

// A place that the shell of the page has.
/**
 * @template {HTMLElement} Place
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {Place}
 */
export function find(root, selector) {
  /** @type {any} */
  const place = root.querySelector(selector);
  return place;
}

// What an event happened in.
/**
 * @param {Event} event
 * @param {string} selector
 */
export function around(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

export const IN_ONE_GO = 50;

// Long lists are drawn up to a point, the rest on demand; `tag` is what a list wants around the button for that.
/**
 * @template T
 * @param {T[]} items
 * @param {(item: T, index: number) => Page.Child} draw
 * @param {string} [tag]
 * @returns {Page.Child}
 */
export function inParts(items, draw, tag = 'div') {
  if (items.length <= IN_ONE_GO) return items.map(draw);
  const more = el(tag, {}, button(`Show ${items.length - IN_ONE_GO} more`, () => {
    const rest = document.createDocumentFragment();
    append(rest, items.slice(IN_ONE_GO).map((item, index) => draw(item, index + IN_ONE_GO)));
    more.replaceWith(rest);
  }));
  return [items.slice(0, IN_ONE_GO).map(draw), more];
}
