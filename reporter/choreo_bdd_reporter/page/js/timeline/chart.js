// Draws a timeline from its state: head, axis, minimap, rows and arrows.

import { createArrows, LINE_HEIGHT } from './arrows.js';
import { button, el, fill, find } from '../core/dom.js';
import { plural } from '../core/format.js';
import { causeSections, laneNode, laneSections } from './lanes.js';
import { createMinimap } from './minimap.js';
import { createSections } from '../core/sections.js';
import { axisRow, timelineHead } from './head.js';
import { phraseTone, timelineRow } from './rows.js';
import { timeAxis } from './timescale.js';
import { clockOf, limitsOf, shownRows, wholeView } from './state.js';

const MINIMAP_FROM = 60;

// `actionsOf()` are those of the buttons above the rows, which act on the chart.
/**
 * @param {Page.Part} part
 * @param {Page.TimelineRow[]} rows
 * @param {Page.TimelineState} state
 * @param {Page.Context} context
 * @param {() => Page.TimelineActions} actionsOf
 * @returns {Page.Chart}
 */
export function createChart(part, rows, state, context, actionsOf) {
  const head = el('div.hr-waterfall-head', {});
  const axisHost = el('div', { role: 'rowgroup' });
  const scroller = el('div.hr-waterfall-rows', { role: 'presentation' });
  const grid = el('div.hr-waterfall', { role: 'treegrid', 'aria-label': 'Message timeline', 'aria-colcount': 4 }, axisHost, scroller);
  const more = el('div.hr-waterfall-more', {});
  const side = el('aside.hr-message', { 'aria-label': 'Message', hidden: true });
  const arrows = createArrows();
  const minimap = createMinimap(rows, phraseTone, (view) => chart.show(view));
  const list = createSections(scroller, { rowHeight: LINE_HEIGHT, section: laneNode, row: drawRow, after: drawOverlay });
  /** @type {Map<string, number>} */
  let places = new Map();
  let axis = timeAxis(wholeView(state));

  /**
   * @param {Page.TimelineRow} row
   * @param {number} position
   */
  function drawRow(row, position) {
    return timelineRow(row, {
      position, parentPosition: state.lanes ? null : places.get(row.parent?.id ?? '') ?? null, axis, clock: clockOf(state), lanes: state.lanes,
      closed: state.closed.has(row.id), critical: state.critical.count > 1 ? state.critical.segments.get(row) : undefined,
      active: row.id === state.active, selected: row.id === context.views.current.event,
    }, context);
  }
  /** @param {Page.Stretch} drawn */
  function drawOverlay(drawn) {
    const long = list.long && !list.whole;
    grid.toggleAttribute('data-long', long);
    grid.setAttribute('aria-rowcount', String(places.size + 1));
    virtualise(grid, long, scroller.querySelectorAll('.hr-waterfall-row').length, places.size);
    arrows.holder.hidden = !state.lanes;
    if (!state.lanes) return;
    const box = trackBox();
    const origin = find(scroller, '*').getBoundingClientRect();
    scroller.append(arrows.holder);
    arrows.draw(rows, places, axis, { left: box.left - origin.left, width: box.width }, list.height, drawn);
  }
  function trackBox() {
    return find(axisHost, '.hr-ticks').getBoundingClientRect();
  }
  function drawAxis() {
    axis = timeAxis(state.view ?? wholeView(state), clockOf(state));
    fill(axisHost, axisRow(axis, rows));
    grid.style.setProperty('--hr-grid-first', String(axis.grid.first));
    grid.style.setProperty('--hr-grid-step', String(axis.grid.step));
    fill(head, timelineHead(part, rows, state, actionsOf(), context));
    drawMinimap();
  }
  function drawMinimap() {
    minimap.node.hidden = rows.length < MINIMAP_FROM && !state.view;
    if (!minimap.node.hidden && chart.section.isConnected) minimap.draw(limitsOf(state), axis);
  }
  function drawWhole() {
    list.drawWhole();
    fill(more);
    grid.setAttribute('data-virtualised-expanded', 'true');
  }

  /** @type {Page.Chart} */
  const chart = {
    section: el('section.hr-timeline', {}, head, minimap.node,
      el('div.hr-timeline-body', {}, el('div.hr-waterfall-box', {}, grid, arrows.holder, more), side)),
    grid, head, scroller, side, trackBox,
    get axis() { return axis; },
    // the shown rows and heads of lanes: id -> position
    get places() { return places; },
    reveal(id) {
      const position = places.get(id);
      return position !== undefined && list.reveal(position);
    },
    layOut() {
      drawAxis();
      const shown = shownRows(rows, state);
      const sections = state.lanes ? laneSections(shown, part, state.closed, context) : causeSections(shown, state.closed);
      places = placesIn(sections);
      list.set(sections);
      fill(more, list.long && !list.whole && button(`Draw all ${plural(places.size, 'row')} at once, for the browser's own find and print`, drawWhole,
        { class: 'hr-button', 'data-virtualised-expand': 'true' }));
    },
    // rows stretch by themselves, what is drawn in pixels does not
    fit() {
      drawMinimap();
      list.fit();
    },
    show(view) {
      state.view = view;
      drawAxis();
      list.redraw();
    },
  };
  return chart;
}

/** @param {Page.Section<Page.TimelineRow>[]} sections */
function placesIn(sections) {
  const ids = sections.flatMap(({ head, rows }) => [...(head ? [head.getAttribute('data-node-id') ?? ''] : []), ...rows.map((row) => row.id)]);
  return new Map(ids.map((id, position) => [id, position]));
}

/**
 * @param {HTMLElement} grid
 * @param {boolean} long
 * @param {number} shown
 * @param {number} total
 */
function virtualise(grid, long, shown, total) {
  const attributes = { 'data-virtualised': 'true', 'data-virtualised-shown': String(shown), 'data-virtualised-total': String(total) };
  for (const [name, value] of Object.entries(attributes)) {
    if (long) grid.setAttribute(name, value);
    else grid.removeAttribute(name);
  }
}
