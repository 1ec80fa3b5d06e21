// The frame around every page: who is shown, the way to the other pages, the theme, and what is new.

import { Refused, ask, listen } from './api.js';
import { address, follow, here, link, set, prefix } from './address.js';
import { h } from './dom.js';
import { words } from './format.js';
import { nothing, trouble, waiting } from './parts.js';
import * as anomalies from './views/anomalies.js';
import * as compare from './views/compare.js';
import * as failures from './views/failures.js';
import * as flaky from './views/flaky.js';
import * as overview from './views/overview.js';
import * as run from './views/run.js';
import * as runs from './views/runs.js';
import * as topic from './views/topic.js';
import * as topics from './views/topics.js';

const PAGES = words({ '': overview, runs, topics, compare, anomalies, flaky, failures });
const DETAILS = words({ runs: run, topics: topic });
const THEMES = ['auto', 'light', 'dark'];
const TENANT = 'chronicle:tenant';
const THEME = 'chronicle:theme';
const SETTLED = 1000;

const root = document.getElementById('chronicle');
const api = root.dataset.api;
let tenants = [];
let shown = 0;
let heardOf = { tenant: null, end: () => {} };

const main = h('main', { id: 'main', tabindex: '-1' });
const header = h('header');
const news = h('div', { class: 'news', role: 'status' });
root.append(h('a', { class: 'skip', href: '#main', click: skip }, 'Skip to the content'), header, news, main);

function skip(event) {
  event.preventDefault();
  event.stopPropagation();
  main.focus();
}

/** What is kept between visits; a browser that keeps nothing forgets it. */
function kept(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch {
    // storage may be forbidden
  }
  return null;
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  dispatchEvent(new Event('themechange'));
}

function drawHeader(page, query) {
  const entries = Object.entries(PAGES).map(([path, { name }]) => h('li', {}, link(`/${path}`, {}, { 'aria-current': path === page ? 'page' : null }, name)));
  const chosen = query.get('tenant');
  const field = (label, name, hint) => h('label', {}, h('span', {}, label), h('input', { type: 'search', value: query.get(name) ?? '', placeholder: hint, size: '12', change: (event) => set({ [name]: event.target.value.trim() }) }));
  header.replaceChildren(
    h('a', { class: 'brand', href: address('/') }, 'Chronicle'),
    h('nav', { 'aria-label': 'Pages of Chronicle' }, h('ul', {}, entries)),
    h('div', { class: 'filters' },
      h('label', {}, h('span', {}, 'Tenant'), h('select', { change: (event) => chooseTenant(event.target.value), disabled: tenants.length === 0 },
        tenants.length === 0 ? h('option', {}, 'none yet') : null, tenants.map(({ slug }) => h('option', { value: slug, selected: slug === chosen }, slug)))),
      field('Environment', 'environment', 'all'), field('Branch', 'branch', 'all'), themeButton()));
}

function themeButton() {
  const now = kept(THEME) ?? 'auto';
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  const change = (event) => {
    kept(THEME, next);
    theme(next);
    event.target.replaceWith(themeButton());
    header.querySelector('.theme').focus();
  };
  return h('button', { type: 'button', class: 'theme', click: change }, `Theme: ${now}`);
}

function chooseTenant(slug) {
  kept(TENANT, slug);
  set({ tenant: slug, environment: null, branch: null });
}

async function show(arrived) {
  const turn = ++shown;
  const { page, rest, query } = here();
  const view = rest.length > 0 && rest[0] !== '' ? DETAILS[page] : PAGES[page];
  drawHeader(page, query);
  main.setAttribute('aria-busy', 'true');
  if (arrived) main.replaceChildren(waiting());
  const content = view ? await contentOf(view, rest, query) : [nothing('There is no such page.', link('/', {}, {}, 'What is new'))];
  if (turn !== shown) return;
  const focused = arrived ? null : place(document.activeElement);
  main.replaceChildren(...content.flat(Infinity).filter(Boolean));
  main.removeAttribute('aria-busy');
  news.replaceChildren();
  document.title = `${main.querySelector('h1')?.textContent ?? view?.name ?? 'Not found'} · Chronicle`;
  if (!arrived) restore(focused);
  else if (turn > 1) main.querySelector('h1')?.focus({ preventScroll: true });
}

async function contentOf(view, rest, query) {
  try {
    const tenant = await tenantOf(query);
    if (!tenant) return [nothing('No reports yet.', 'Send the first one:', h('code', {}, `choreo-bdd chronicle push test-report/results.json --url ${location.origin}${prefix}`))];
    hear(tenant);
    const filters = { tenant, environment: query.get('environment'), branch: query.get('branch') };
    return [await view.view({ filters, query, rest, api })];
  } catch (problem) {
    if (!(problem instanceof Refused)) console.error(problem);
    return [trouble(problem, () => show(true))];
  }
}

/** The tenant in the address, else the last one, else the only one; it is put into the address. */
async function tenantOf(query) {
  tenants = (await ask('/tenants', { limit: 500 })).items;
  let slug = query.get('tenant');
  if (!slug) {
    const last = kept(TENANT);
    slug = (tenants.find((each) => each.slug === last) ?? tenants[0])?.slug;
    if (!slug) return null;
    query.set('tenant', slug);
    history.replaceState(null, '', `${location.pathname}?${query}`);
  }
  drawHeader(here().page, query);
  return slug;
}

/** Tell of new runs, and show them where nobody is reading further down. */
function hear(tenant) {
  if (heardOf.tenant === tenant) return;
  heardOf.end();
  let timer = null;
  const told = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      news.replaceChildren(h('span', {}, 'There is a new run.'), h('button', { type: 'button', click: () => show(false) }, 'Show it'));
    }, SETTLED);
  };
  heardOf = { tenant, end: listen(tenant, told) };
}

/** Where the focus is, so that it is there again when a filter has redrawn the page. */
function place(element) {
  if (!element || element === document.body) return null;
  const label = element.closest('label')?.querySelector('span')?.textContent;
  return { tag: element.tagName, text: label ?? element.textContent.replace(/ [▾▴]$/, '') };
}

function restore(focused) {
  if (!focused) return;
  const text = (element) => element.closest('label')?.querySelector('span')?.textContent ?? element.textContent.replace(/ [▾▴]$/, '');
  [...root.querySelectorAll(focused.tag)].find((element) => text(element) === focused.text)?.focus({ preventScroll: true });
}

/** Arrows go from row to row, a slash to the first field of the page. */
function keys(event) {
  const typing = event.target.closest('input, select, textarea');
  if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === '/') {
    event.preventDefault();
    (main.querySelector('input') ?? header.querySelector('input'))?.focus();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = event.target.closest('tbody tr, .anomaly');
  if (!step || !row) return;
  const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
  const way = next?.querySelector('a');
  if (way) {
    event.preventDefault();
    way.focus();
  }
}

addEventListener('keydown', keys);
theme(kept(THEME) ?? 'auto');
follow(show);
