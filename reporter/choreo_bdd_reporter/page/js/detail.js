// The right pane: one scenario, or what the whole run has to say about hops, topics and an older run.

import { attemptTabs, shownAttempt } from './scenario/attempts.js';
import { createCompare } from './overview/compare.js';
import { button, el, fill, find } from './core/dom.js';
import { renderHops, renderTopics } from './overview/overview.js';
import { renderNoScenario, renderScenario } from './scenario/scenario.js';

// As in narrow.css: below this width the pane stands under the tree instead of beside it.
const STACKED = '(max-width: 820px)';
const PATIENCE_MS = 120;

/**
 * @param {HTMLElement} root
 * @param {Page.Context} context
 */
export function createDetail(root, context) {
  const { model, store, views } = context;
  /** @type {HTMLElement} */
  const pane = find(root, '[data-slot="detail"]');
  const host = el('div.hr-pane', {});
  const tabs = createTabs(views);
  const missing = el('div', { role: 'status', 'data-slot': 'missing-part' });
  fill(pane, tabs.node, missing, host);
  /** @type {Page.EventReader[]} */
  let readers = [];
  /** @type {Page.Zooming[]} */
  let charts = [];
  let turn = 0;
  let lost = '';
  context.onEvent = (reader) => { readers.push(reader); };
  context.onChart = (chart) => { charts.push(chart); };
  context.redraw = () => show(views.current, null);
  /** @type {Map<string | null, (host: HTMLElement, context: Page.Context) => void>} */
  const overviews = new Map([['hops', renderHops], ['topics', renderTopics], ['compare', createCompare(context)]]);

  /**
   * @param {Page.Entry} entry
   * @param {Page.Detail} detail
   * @param {Page.View} view
   */
  const draw = (entry, detail, view) => {
    const [shown, attempt] = shownAttempt(entry, detail, view);
    // now, while nothing new has to be laid out for that
    pane.scrollTop = 0;
    renderScenario(host, shown, attempt, context, attemptTabs(entry, detail, views));
    lost = view.attempt !== null && attempt === detail ? `attempt ${view.attempt}` : '';
    follow(view, true);
  };
  /**
   * @param {Page.View} view
   * @param {boolean} [arriving]
   */
  const follow = (view, arriving) => {
    const found = readers.map((read) => read(view.event, arriving)).includes(true);
    const parts = [lost, view.event && !found && 'the message'].filter(Boolean);
    say(parts.length > 0 ? `This report does not have ${parts.join(' and ')} of the link.` : '');
  };
  /** @param {string} text */
  const say = (text) => fill(missing, text && el('p.hr-notice', { 'data-visible': 'true' }, text));
  /** @param {Page.View} view */
  const showScenario = async (view) => {
    const mine = ++turn;
    readers = [];
    charts = [];
    say('');
    host.removeAttribute('aria-busy');
    tabs.update(view);
    const overview = overviews.get(view.tab);
    if (overview) return overview(host, context);
    const entry = model.byId.get(view.test ?? '');
    if (!entry) return renderNoScenario(host, model);
    const detail = store.detail(entry);
    if (!(detail instanceof Promise)) return draw(entry, detail, view);
    setTimeout(() => mine === turn && host.getAttribute('aria-busy') && fill(host, el('p.hr-empty', {}, 'Reading its messages…')), PATIENCE_MS);
    host.setAttribute('aria-busy', 'true');
    try {
      const read = await detail;
      if (mine !== turn) return null;
      host.removeAttribute('aria-busy');
      return draw(entry, read, views.current);
    } catch (error) {
      host.removeAttribute('aria-busy');
      return mine === turn && fill(host, el('p.hr-callout.hr-callout--slow', { role: 'alert' }, error.message));
    }
  };
  /** @param {(chart: Page.Zooming) => void} act */
  const onChart = (act) => () => (charts.length > 0 ? act(charts.find((chart) => chart.section.matches(':hover, :focus-within')) ?? charts[0]) : false);

  /**
   * @param {Page.View} view
   * @param {Page.View | null} previous
   */
  function show(view, previous) {
    if (!previous || view.test !== previous.test || view.attempt !== previous.attempt || view.tab !== previous.tab) {
      showScenario(view);
      if (previous && view.attempt === previous.attempt && matchMedia(STACKED).matches) pane.scrollIntoView();
    } else if (!overviews.has(view.tab)) follow(view);
  }

  return {
    show,
    keys: {
      w: onChart((chart) => chart.zoom(0.5)), s: onChart((chart) => chart.zoom(2)), '+': onChart((chart) => chart.zoom(0.5)), '-': onChart((chart) => chart.zoom(2)),
      a: onChart((chart) => chart.pan(-0.25)), d: onChart((chart) => chart.pan(0.25)), 0: onChart((chart) => chart.reset()),
    },
  };
}

/** @type {[string | null, string][]} */
const TABS = [[null, 'Scenario'], ['hops', 'Hops and budgets'], ['topics', 'Topics'], ['compare', 'Compare']];

/** @param {Page.Views} views */
function createTabs(views) {
  const buttons = TABS.map(([tab, label]) => button(label, () => views.set({ tab }, { remember: true }), { class: 'hr-tab' }));
  return {
    node: el('div.hr-tabs', { role: 'group', 'aria-label': 'Views' }, buttons),
    /** @param {Page.View} view */
    update(view) {
      buttons.forEach((button, index) => button.setAttribute('aria-current', String((view.tab ?? null) === TABS[index][0])));
    },
  };
}
