// Reads the embedded data, draws the page and keeps its parts in step with the view.

import { createBroke } from './broke.js';
import { createFilters } from './filters.js';
import { renderHeader } from './header.js';
import { followPageKeys } from './keyboard.js';
import { buildModel } from './model.js';
import { renderScenario } from './scenario.js';
import { filterEntries } from './search.js';
import { renderTools, toggleHelp } from './tools.js';
import { transportStyles } from './transports.js';
import { createTree } from './tree.js';
import { isBroken } from './verdicts.js';
import { createViewState } from './viewstate.js';

// As in narrow.css: below this width the scenario stands under the tree instead of beside it.
const STACKED = '(max-width: 820px)';

function embedded(id) {
  const holder = document.getElementById(id);
  const text = (holder?.content ?? holder)?.textContent.trim();
  return text ? JSON.parse(text) : {};
}

// Without a choice the first broken scenario is the one to look at, else the first slow one, else the first.
function preferred(model, view) {
  const shown = filterEntries(model.entries, view);
  return (shown.find((entry) => isBroken(entry.outcome)) ?? shown.find((entry) => entry.outcome === 'slow') ?? shown[0])?.id ?? null;
}

function start(root) {
  const model = buildModel(embedded('harness-results'), embedded('choreo-gherkin'));
  const views = createViewState(refresh, (view) => (model.byId.has(view.test) ? view : { ...view, test: preferred(model, view) }));
  const eventReaders = [];
  const context = { model, views, transports: transportStyles(model), onEvent: (reader) => eventReaders.push(reader) };
  const detail = root.querySelector('[data-slot="detail"]');
  let visible = model.entries;

  renderHeader(root, model);
  renderTools(root, model);
  const broke = createBroke(root, model, views);
  const filters = createFilters(root, model, views);
  const tree = createTree(root, model, views);

  function refresh(view, previous) {
    const narrowed = !previous || ['q', 'cause'].some((name) => view[name] !== previous[name]) || view.status.join() !== previous.status.join();
    if (narrowed) showVisible(view);
    if (!previous || view.test !== previous.test) {
      showEntry(view);
      if (previous && matchMedia(STACKED).matches) detail.scrollIntoView();
    }
    for (const read of eventReaders) read(view.event);
  }
  function showVisible(view) {
    visible = filterEntries(model.entries, view);
    filters.update(view, visible.length);
    broke.update(view);
    tree.show(visible);
  }
  function showEntry(view) {
    const entry = model.byId.get(view.test) ?? null;
    eventReaders.length = 0;
    renderScenario(detail, entry, context);
    tree.select(entry);
  }

  const step = (offset) => {
    const at = visible.findIndex((entry) => entry.id === views.current.test);
    const next = at < 0 ? visible[0] : visible[at + offset];
    if (next) views.set({ test: next.id, event: null });
  };
  const nextBroken = () => {
    const at = visible.findIndex((entry) => entry.id === views.current.test);
    const next = [...visible.slice(at + 1), ...visible.slice(0, at + 1)].find((entry) => isBroken(entry.outcome));
    if (next) views.set({ test: next.id, event: null }, { remember: true });
  };
  const leave = () => {
    if (views.current.event) views.set({ event: null });
    else if (views.current.q) views.set({ q: '' });
    else return false;
    return true;
  };
  followPageKeys({
    '/': filters.focus, j: () => step(1), k: () => step(-1), f: nextBroken, '?': () => toggleHelp(root),
    '[': () => tree.setAll(false), ']': () => tree.setAll(true), Escape: leave,
  });

  refresh(views.current, null);
}

start(document.querySelector('.harness-report'));
