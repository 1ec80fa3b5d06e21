// The message timeline: every message of a scenario on one time axis, as a tree of causes and effects or in lanes.

import { createArrows, LINE_HEIGHT } from './arrows.js';
import { causalRows } from './causality.js';
import { criticalPath } from './criticalpath.js';
import { button, el, fill } from './dom.js';
import { eventPanel } from './eventpanel.js';
import { plural } from './format.js';
import { causeSections, laneNode, laneSections } from './lanes.js';
import { createMinimap } from './minimap.js';
import { readPreference, writePreference } from './preferences.js';
import { createSections } from './sections.js';
import { followTreegridKeys } from './treegrid.js';
import { axisRow, timelineHead } from './timelinehead.js';
import { phraseTone, timelineRow } from './timelinerows.js';
import { pannedView, roundView, timeAxis, timeSpans, wallClock, zoomedView } from './timescale.js';
import { followMouse } from './zooming.js';

const MINIMAP_FROM = 60;
const FOCUSED_FROM = 200;
const BROKEN_TONES = ['fail', 'timeout', 'slow'];

export function renderWaterfall(part, partIndex, entry, context) {
  if (part.timeline.length === 0) return noTimeline(part);
  const chart = createChart(part, partIndex, entry, context);
  context.onChart(chart);
  return chart.section;
}

function noTimeline(part) {
  const text = part.handles.length > 0
    ? 'The results keep no message timeline for this scenario; the expectations above hold its latencies.'
    : 'No message was sent or expected here.';
  return el('section', {}, el('h3.hr-label', {}, 'Message timeline'), el('p.hr-callout', {}, text));
}

function startState(rows, part) {
  const spans = timeSpans(rows);
  const broken = rows.some((row) => BROKEN_TONES.includes(phraseTone(row)));
  return {
    spans, critical: criticalPath(rows), hasClock: wallClock(rows) !== null, absolute: readPreference('time', 'relative') === 'absolute',
    lanes: Boolean(part.stage) && part.stage.transports.some((name) => rows.some((row) => row.transport === name)),
    closed: new Set(), focused: rows.length > FOCUSED_FROM && broken, onMessages: spans.squeezed, view: null, active: rows[0]?.id ?? null,
  };
}

// Rows that ended badly, with everything that led to them.
function failingPath(rows) {
  const kept = new Set();
  for (const row of rows) {
    if (BROKEN_TONES.includes(phraseTone(row))) for (let above = row; above; above = above.parent) kept.add(above);
  }
  return rows.filter((row) => kept.has(row));
}

function createChart(part, partIndex, entry, context) {
  const rows = causalRows(part, partIndex);
  rows.forEach((row, order) => { row.order = order; });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const state = startState(rows, part);
  const head = el('div.hr-waterfall-head', {});
  const axisHost = el('div', { role: 'rowgroup' });
  const scroller = el('div.hr-waterfall-rows', { role: 'presentation' });
  const grid = el('div.hr-waterfall', { role: 'treegrid', 'aria-label': 'Message timeline', 'aria-colcount': 4 }, axisHost, scroller);
  const more = el('div.hr-waterfall-more', {});
  const side = el('aside.hr-message', { 'aria-label': 'Message', hidden: true });
  const arrows = createArrows();
  const minimap = createMinimap(rows, phraseTone, (view) => show(view));
  const section = el('section.hr-timeline', {}, head, minimap.node,
    el('div.hr-timeline-body', {}, el('div.hr-waterfall-box', {}, grid, arrows.holder, more), side));
  const list = createSections(scroller, { rowHeight: LINE_HEIGHT, section: laneNode, row: drawRow, after: drawOverlay });
  let places = new Map();
  let axis = null;

  const whole = () => roundView(state.spans.from, state.onMessages ? state.spans.messages : state.spans.whole);
  const limits = () => roundView(state.spans.from, state.spans.whole);
  const clock = () => (state.absolute ? wallClock(rows) : null);

  function drawRow(row, position) {
    const parentPosition = state.lanes ? null : places.get(row.parent?.id) ?? null;
    return timelineRow(row, {
      position, parentPosition, axis, clock: clock(), lanes: state.lanes, closed: state.closed.has(row.id), critical: state.critical.count > 1 ? state.critical.segments.get(row) : undefined,
      active: row.id === state.active, selected: row.id === context.views.current.event,
    }, context);
  }
  function drawOverlay(drawn) {
    const long = list.long && !list.whole;
    grid.toggleAttribute('data-long', list.long && !list.whole);
    grid.setAttribute('aria-rowcount', places.size + 1);
    virtualise(grid, long, scroller.querySelectorAll('.hr-waterfall-row').length, places.size);
    arrows.holder.hidden = !state.lanes;
    if (!state.lanes) return;
    const box = trackBox();
    const origin = scroller.firstElementChild.getBoundingClientRect();
    scroller.append(arrows.holder);
    arrows.draw(rows, places, axis, { left: box.left - origin.left, width: box.width }, list.height, drawn);
  }
  function trackBox() {
    return axisHost.querySelector('.hr-ticks').getBoundingClientRect();
  }
  function drawAxis() {
    state.zoomed = state.view !== null;
    axis = timeAxis(state.view ?? whole(), clock());
    fill(axisHost, axisRow(axis, rows));
    grid.style.setProperty('--hr-grid-first', axis.grid.first);
    grid.style.setProperty('--hr-grid-step', axis.grid.step);
    fill(head, timelineHead(part, rows, state, actions, context));
    minimap.node.hidden = rows.length < MINIMAP_FROM && !state.zoomed;
    if (!minimap.node.hidden && section.isConnected) minimap.draw(limits(), axis);
  }
  function layOut() {
    drawAxis();
    const shown = state.focused && !state.lanes ? failingPath(rows) : rows;
    const sections = state.lanes ? laneSections(shown, part, state.closed, context) : causeSections(shown, state.closed);
    places = new Map();
    let position = 0;
    for (const each of sections) {
      if (each.head) places.set(each.head.getAttribute('data-node-id'), position++);
      for (const row of each.rows) places.set(row.id, position++);
    }
    list.set(sections);
    fill(more, list.long && !list.whole && wholeButton());
  }
  function show(view) {
    state.view = view;
    drawAxis();
    list.redraw();
  }
  function wholeButton() {
    const drawWhole = () => {
      list.drawWhole();
      fill(more);
      grid.setAttribute('data-virtualised-expanded', 'true');
    };
    return button(`Draw all ${plural(places.size, 'row')} at once, for the browser's own find and print`, drawWhole, { class: 'hr-button', 'data-virtualised-expand': 'true' });
  }

  const flip = (name) => () => {
    state[name] = !state[name];
    state.closed.clear();
    layOut();
    head.querySelector(`[data-switch="${name}"]`)?.focus({ preventScroll: true });
  };
  const chart = {
    section,
    axis: () => axis,
    zoom: (factor, at = (axis.from + axis.to) / 2) => show(zoomedView(state.view ?? whole(), factor, at, limits())),
    pan: (share) => show(pannedView(state.view ?? whole(), share * (axis.to - axis.from), limits())),
    reset: () => show(null),
  };
  const actions = {
    lanes: flip('lanes'), focus: flip('focused'), in: () => chart.zoom(0.5), out: () => chart.zoom(2), reset: chart.reset,
    stretch: () => { state.onMessages = !state.onMessages; show(null); },
    absolute: () => { state.absolute = !state.absolute; writePreference('time', state.absolute ? 'absolute' : 'relative'); show(state.view); },
  };
  const select = (id, remember) => context.views.set({ test: entry.id, event: id }, { remember });
  const laneOf = (row) => (places.has(`lane:${row.transport}`) ? `lane:${row.transport}` : 'lane:');
  const nodeOf = (id) => [...scroller.querySelectorAll('[data-node-id]')].find((node) => node.getAttribute('data-node-id') === id);
  const focus = (id) => {
    if (!id) return;
    state.active = id;
    if (places.has(id)) list.reveal(places.get(id));
    for (const node of scroller.querySelectorAll('[data-node-id]')) node.setAttribute('tabindex', node.getAttribute('data-node-id') === id ? '0' : '-1');
    nodeOf(id)?.focus();
  };
  followTreegridKeys(grid, {
    focus,
    order: () => [...places.keys()],
    parentOf: (id) => (state.lanes && byId.has(id) ? laneOf(byId.get(id)) : byId.get(id)?.parent?.id),
    open: (id, on) => {
      state.closed[on ? 'delete' : 'add'](id);
      layOut();
      focus(id);
    },
    choose: (id) => byId.has(id) && select(context.views.current.event === id ? null : id, true),
  });
  followMouse(grid, trackBox, chart);
  context.onEvent((id) => {
    const row = byId.get(id);
    if (row && !places.has(id)) {
      state.focused = false;
      state.closed.clear();
      layOut();
    }
    if (row) list.reveal(places.get(id));
    for (const node of scroller.querySelectorAll('.hr-waterfall-row')) node.setAttribute('aria-selected', String(node.getAttribute('data-node-id') === id));
    side.hidden = !row;
    if (row) fill(side, eventPanel(row, part, context, () => select(null, true)));
  });
  layOut();
  // now that it stands in the page it has a width, and later other ones
  followWidth(grid, () => show(state.view));
  return chart;
}

function followWidth(node, act) {
  let width = 0;
  new ResizeObserver(() => {
    if (node.clientWidth === width) return;
    width = node.clientWidth;
    act();
  }).observe(node);
}

function virtualise(grid, long, shown, total) {
  const attributes = { 'data-virtualised': 'true', 'data-virtualised-shown': shown, 'data-virtualised-total': total };
  for (const [name, value] of Object.entries(attributes)) {
    if (long) grid.setAttribute(name, value);
    else grid.removeAttribute(name);
  }
}
