// The message timeline: every message of a scenario on one time axis, as a tree of causes and effects or in lanes. Here
// its state, its drawing and its reader meet.

import { causalRows } from './causality.js';
import { el, fill } from '../core/dom.js';
import { eventPanel } from './event-panel.js';
import { writePreference } from '../core/preferences.js';
import { followTreegridKeys } from '../core/tree-grid.js';
import { createChart } from './chart.js';
import { centreOf, pannedView, zoomedView } from './timescale.js';
import { limitsOf, startState, wholeView } from './state.js';
import { followMouse } from './zooming.js';

/**
 * @param {Page.Part} part
 * @param {number} partIndex
 * @param {Page.Entry} entry
 * @param {Page.Context} context
 */
export function renderWaterfall(part, partIndex, entry, context) {
  if (part.timeline.length === 0) return noTimeline(part);
  const rows = causalRows(part, partIndex, context.model.causation);
  rows.forEach((row, order) => { row.order = order; });
  const state = startState(rows, part);
  const chart = createChart(part, rows, state, context, () => actions);
  const zooming = zoomingOf(chart, rows, state, context);
  /** @type {Page.TimelineActions} */
  const actions = { ...switchesOf(chart, state), in: () => zooming.zoom(0.5), out: () => zooming.zoom(2), reset: zooming.reset };
  followReader(chart, rows, state, part, entry, context);
  followMouse(chart.grid, chart.trackBox, zooming);
  chart.layOut();
  // now that it stands in the page it has a width, and later other ones
  followWidth(chart.grid, chart.fit);
  context.onChart?.(zooming);
  return chart.section;
}

/** @param {Page.Part} part */
function noTimeline(part) {
  const text = part.handles.length > 0
    ? 'No message timeline is kept here; the expectations above hold the latencies.'
    : 'No message was sent or expected here.';
  return el('section', {}, el('h3.hr-label', {}, 'Message timeline'), el('p.hr-callout', {}, text));
}

/**
 * @param {Page.Chart} chart
 * @param {Page.TimelineRow[]} rows
 * @param {Page.TimelineState} state
 * @param {Page.Context} context
 * @returns {Page.Zooming}
 */
function zoomingOf(chart, rows, state, { views }) {
  const focused = () => (chart.grid.contains(document.activeElement) ? state.active : null);
  const current = () => state.view ?? wholeView(state);
  return {
    section: chart.section,
    axis: () => chart.axis,
    zoom: (factor, at = centreOf(rows, [views.current.event, focused()], chart.axis)) => chart.show(zoomedView(current(), factor, at, limitsOf(state))),
    pan: (share) => chart.show(pannedView(current(), share * (chart.axis.to - chart.axis.from), limitsOf(state))),
    reset: () => chart.show(null),
  };
}

/**
 * @param {Page.Chart} chart
 * @param {Page.TimelineState} state
 */
function switchesOf(chart, state) {
  /** @param {'lanes' | 'focused'} name */
  const flip = (name) => () => {
    state[name] = !state[name];
    state.closed.clear();
    chart.layOut();
    /** @type {HTMLElement | null} */
    const pressed = chart.head.querySelector(`[data-switch="${name}"]`);
    pressed?.focus({ preventScroll: true });
  };
  return {
    lanes: flip('lanes'),
    focus: flip('focused'),
    stretch: () => {
      state.onMessages = !state.onMessages;
      chart.show(null);
    },
    absolute: () => {
      state.absolute = !state.absolute;
      writePreference('time', state.absolute ? 'absolute' : 'relative');
      chart.show(state.view);
    },
  };
}

// Keys and clicks on the rows, and the message that the address names.
/**
 * @param {Page.Chart} chart
 * @param {Page.TimelineRow[]} rows
 * @param {Page.TimelineState} state
 * @param {Page.Part} part
 * @param {Page.Entry} entry
 * @param {Page.Context} context
 */
function followReader(chart, rows, state, part, entry, context) {
  const { grid, scroller, side } = chart;
  const byId = new Map(rows.map((row) => [row.id, row]));
  /** @param {string | null} id */
  const select = (id) => context.views.set({ test: entry.id, event: id }, { remember: true });
  /** @param {Page.TimelineRow} row */
  const laneOf = (row) => (chart.places.has(`lane:${row.transport}`) ? `lane:${row.transport}` : 'lane:');
  const drawn = () => {
    /** @type {NodeListOf<HTMLElement>} */
    const nodes = scroller.querySelectorAll('[data-node-id]');
    return [...nodes];
  };
  /** @param {string} id */
  const nodeOf = (id) => drawn().find((node) => node.getAttribute('data-node-id') === id);
  /** @param {string | undefined} id */
  const focus = (id) => {
    if (!id) return;
    state.active = id;
    chart.reveal(id);
    for (const node of drawn()) node.setAttribute('tabindex', node.getAttribute('data-node-id') === id ? '0' : '-1');
    nodeOf(id)?.focus();
  };
  followTreegridKeys(grid, {
    focus,
    order: () => [...chart.places.keys()],
    parentOf(id) {
      const row = byId.get(id);
      return state.lanes && row ? laneOf(row) : row?.parent?.id;
    },
    open: (id, on) => {
      state.closed[on ? 'delete' : 'add'](id);
      chart.layOut();
      focus(id);
    },
    choose: (id) => byId.has(id) && select(context.views.current.event === id ? null : id),
  });
  context.onEvent?.((id, arriving) => {
    const row = byId.get(id ?? '');
    if (row && !chart.places.has(row.id)) {
      Object.assign(state, { focused: false, closed: new Set() });
      chart.layOut();
    }
    if (row) chart.reveal(row.id);
    for (const node of scroller.querySelectorAll('.hr-waterfall-row')) node.setAttribute('aria-selected', String(node.getAttribute('data-node-id') === id));
    side.hidden = !row;
    if (row) fill(side, eventPanel(row, part, context, () => select(null)));
    if (row && arriving) nodeOf(row.id)?.scrollIntoView({ block: 'center' });
    return Boolean(row);
  });
}

/**
 * @param {HTMLElement} node
 * @param {() => void} act
 */
function followWidth(node, act) {
  let width = 0;
  new ResizeObserver(() => {
    if (node.clientWidth === width) return;
    width = node.clientWidth;
    act();
  }).observe(node);
}
