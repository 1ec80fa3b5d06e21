// The address is the state: what is shown, of whom, and how it is filtered and sorted.

import { h } from './dom.js';

/** Filters that stay when another page is opened. */
const KEPT = ['tenant', 'environment', 'branch'];

/** The path that all is below, when a proxy serves it so. */
export const prefix = document.getElementById('chronicle').dataset.root;

export function here() {
  const [, page = '', ...rest] = location.pathname.slice(prefix.length).split('/');
  return { page, rest: rest.map(decoded), query: new URLSearchParams(location.search) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a page, with the filters that stay. */
export function address(path, query = {}) {
  const now = new URLSearchParams(location.search);
  const kept = KEPT.filter((name) => now.get(name)).map((name) => [name, now.get(name)]);
  const next = new URLSearchParams([...kept, ...Object.entries(query)].filter(([, value]) => value));
  return next.size > 0 ? `${prefix}${path}?${next}` : `${prefix}${path}`;
}

export const link = (path, query, attributes, ...children) => h('a', { href: address(path, query), ...attributes }, ...children);

let show = () => {};

/** Call `shown` now and whenever the address changes. */
export function follow(shown) {
  show = shown;
  addEventListener('popstate', () => shown(true));
  document.addEventListener('click', (event) => {
    const anchor = event.target.closest('a[href]');
    const leaves = !anchor || anchor.target || anchor.origin !== location.origin || 'leaves' in anchor.dataset;
    if (leaves || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(anchor.href);
  });
  shown(true);
}

/** Show the page again, after something has changed. */
export const again = () => show(false);

export function open(href) {
  if (href !== location.href) history.pushState(null, '', href);
  scrollTo(0, 0);
  show(true);
}

/** Change parts of the query and show the page again. A page of a list begins anew when a filter changes. */
export function set(changes) {
  const query = new URLSearchParams(location.search);
  if (!('offset' in changes)) query.delete('offset');
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === '') query.delete(name);
    else query.set(name, value);
  }
  history.pushState(null, '', query.size > 0 ? `${location.pathname}?${query}` : location.pathname);
  show(false);
}
