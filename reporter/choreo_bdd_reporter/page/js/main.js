// Reads the embedded data, draws the page and keeps its parts in step with the view.

import { createBroke } from './list/broke.js';
import { createDeepSearch } from './list/deep-search.js';
import { createDetail } from './detail.js';
import { el, fill, find } from './core/dom.js';
import { embeddedJson, embeddedText } from './core/embedded.js';
import { createFilters } from './list/filters.js';
import { createMissing } from './list/missing.js';
import { renderHeader } from './overview/header.js';
import { followPageKeys } from './core/keyboard.js';
import { buildModel } from './core/model.js';
import { filterEntries, gatherTexts } from './list/search.js';
import { createStore } from './store/store.js';
import { createResizer } from './list/resizer.js';
import { renderTools, toggleHelp } from './overview/tools.js';
import { transportStyles } from './core/transports.js';
import { createTree } from './list/tree.js';
import { createViewState } from './core/view-state.js';

const GATHER_AFTER_MS = 500;
/** @type {("q" | "cause" | "sort" | "group")[]} */
const NARROWING = ['q', 'cause', 'sort', 'group'];

// Without a choice the first broken scenario is the one to look at, else the first slow one, else the first.
/**
 * @param {Page.Model} model
 * @param {Page.Store} store
 * @param {Page.View} view
 */
function preferred(model, store, view) {
  const shown = filterEntries(model.entries, view, store);
  return (shown.find((entry) => entry.failing) ?? shown.find((entry) => entry.outcome === 'slow') ?? shown[0])?.id ?? null;
}

/** @param {HTMLElement} root */
async function start(root) {
  const index = await embeddedJson('choreo-index');
  find(root, '[data-slot="fallback"]').remove();
  const model = buildModel(JSON.parse(embeddedText('harness-results')), index);
  const store = createStore(index, await embeddedJson('choreo-gherkin'));
  const deep = createDeepSearch(store, () => showVisible(views.current));
  const missing = createMissing(root, model);
  const views = createViewState(refresh, (view) => {
    missing.look(view);
    if (model.byId.has(view.test ?? '')) return view;
    // an event of a scenario that is not there says nothing of the one shown in its place
    const event = view.test === null ? view.event : null;
    return { ...view, test: preferred(model, store, view), event };
  });
  /** @type {Page.Context} */
  const context = { root, model, store, views, transports: transportStyles(model) };
  let visible = model.entries;

  renderHeader(root, context);
  renderTools(root, model);
  const broke = createBroke(root, context);
  createResizer(root);
  const filters = createFilters(root, context, deep);
  const tree = createTree(root, context);
  const detail = createDetail(root, context);

  /**
   * @param {Page.View} view
   * @param {Page.View | null} previous
   */
  function refresh(view, previous) {
    const narrowed = !previous || NARROWING.some((name) => view[name] !== previous[name]) || view.status.join() !== previous.status.join();
    if (narrowed) showVisible(view);
    missing.update(view, visible);
    if (!previous || view.test !== previous.test || view.tab !== previous.tab) tree.select(model.byId.get(view.test ?? '') ?? null);
    detail.show(view, previous);
  }
  /** @param {Page.View} view */
  function showVisible(view) {
    visible = filterEntries(model.entries, view, store, deep.found);
    root.setAttribute('data-grouping-mode', view.group ?? 'by-scenario');
    filters.update(view, visible.length);
    broke.update(view);
    tree.show(visible);
  }

  /** @param {Page.Entry | undefined} entry */
  const goTo = (entry) => entry && views.set({ test: entry.id, event: null, tab: null });
  const place = () => visible.findIndex((entry) => entry.id === views.current.test);
  /** @param {number} offset */
  const step = (offset) => goTo(place() < 0 ? visible[0] : visible[place() + offset]);
  const nextBroken = () => {
    const at = place() + 1;
    const next = [...visible.slice(at), ...visible.slice(0, at)].find((entry) => entry.failing);
    if (next) views.open(next.id);
  };
  const leave = () => {
    if (views.current.event) views.set({ event: null });
    else if (views.current.q) views.set({ q: '' });
    else return false;
    return true;
  };
  followPageKeys({
    '/': filters.focus, j: () => step(1), k: () => step(-1), f: nextBroken, '?': () => toggleHelp(root),
    '[': () => tree.setAll(false), ']': () => tree.setAll(true), Escape: leave, ...detail.keys,
  });

  refresh(views.current, null);
  setTimeout(() => gatherTexts(model.entries, store), GATHER_AFTER_MS);
}

/** @type {HTMLElement} */
const page = find(document, '.harness-report');
start(page).catch((error) => {
  fill(find(page, '[data-slot="detail"]'), el('p.hr-callout.hr-callout--slow', { role: 'alert' }, String(error.message ?? error)));
  throw error;
});
