// The right pane: one scenario, or what the whole run has to say about hops, topics and an older run.

import { el, fill } from './dom.js';
import { renderNoScenario, renderScenario } from './scenario.js';

// As in narrow.css: below this width the pane stands under the tree instead of beside it.
const STACKED = '(max-width: 820px)';
const PATIENCE_MS = 120;

export function createDetail(root, context) {
  const { model, store, views } = context;
  const pane = root.querySelector('[data-slot="detail"]');
  const host = el('div', { class: 'hr-pane' });
  fill(pane, host);
  let readers = [];
  let charts = [];
  let turn = 0;
  Object.assign(context, { onEvent: (reader) => readers.push(reader), onChart: (chart) => charts.push(chart), pane });

  const draw = (entry, detail, view) => {
    renderScenario(host, entry, detail, context);
    pane.scrollTop = 0;
    for (const read of readers) read(view.event);
  };
  const showScenario = async (view) => {
    const mine = ++turn;
    readers = [];
    charts = [];
    const entry = model.byId.get(view.test);
    if (!entry) return renderNoScenario(host, model);
    const detail = store.detail(entry);
    if (!(detail instanceof Promise)) return draw(entry, detail, view);
    setTimeout(() => mine === turn && host.getAttribute('aria-busy') && fill(host, el('p', { class: 'hr-empty' }, 'Reading its messages…')), PATIENCE_MS);
    host.setAttribute('aria-busy', 'true');
    try {
      const read = await detail;
      if (mine !== turn) return null;
      host.removeAttribute('aria-busy');
      return draw(entry, read, views.current);
    } catch (error) {
      host.removeAttribute('aria-busy');
      return mine === turn && fill(host, el('p', { class: 'hr-callout hr-callout--slow', role: 'alert' }, error.message));
    }
  };
  const onChart = (act) => () => (charts.length > 0 ? act(charts.find((chart) => chart.section.matches(':hover, :focus-within')) ?? charts[0]) : false);

  return {
    show(view, previous) {
      if (!previous || view.test !== previous.test || view.tab !== previous.tab) {
        showScenario(view);
        if (previous && matchMedia(STACKED).matches) pane.scrollIntoView();
      } else for (const read of readers) read(view.event);
    },
    keys: {
      w: onChart((chart) => chart.zoom(0.5)), s: onChart((chart) => chart.zoom(2)), '+': onChart((chart) => chart.zoom(0.5)), '-': onChart((chart) => chart.zoom(2)),
      a: onChart((chart) => chart.pan(-0.25)), d: onChart((chart) => chart.pan(0.25)), 0: onChart((chart) => chart.reset()),
    },
  };
}
