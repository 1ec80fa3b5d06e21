// Elements from data: whatever a report says becomes a text node or an attribute, and never markup.

const URLS = new Set(['href', 'src']);

/** An element; children that are neither nodes nor lists are text, empty ones are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (URLS.has(name)) element.setAttribute(name, own(value));
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** An address on this server; anything else leads nowhere. */
function own(address) {
  const url = new URL(address, location.origin);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : '#';
}

/** Text for eyes or ears only. */
export const heard = (text) => h('span', { class: 'heard' }, text);
