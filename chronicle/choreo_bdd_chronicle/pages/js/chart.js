// Latencies over time: bands between percentiles, a line for the budget, and marks where a level changed.

import { h } from './dom.js';
import { axisTime, moment, ms } from './format.js';

const HEIGHT = 300;
const IN_SIGHT = 2;
const ROWS = 6;
const DAY = 86_400;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function resolved(name) {
  const probe = h('span', { class: 'heard' });
  probe.style.color = colour(name);
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const veiled = (rgb, share) => rgb.replace(/rgba?\(([^)]+)\)/, (_, parts) => `rgba(${parts.split(',').slice(0, 3).join(',')}, ${share})`);

/** A chart of `buckets`, with `marks` of { at (seconds), better, text }. It draws itself anew when its room changes. */
export function latencyChart(buckets, marks, summary) {
  const place = h('div', { class: 'chart', role: 'img', 'aria-label': summary });
  let plot = null;
  const draw = () => {
    if (!place.isConnected) return;
    plot?.destroy();
    plot = new window.uPlot(options(place.clientWidth, marks, buckets), data(buckets), place);
  };
  new ResizeObserver(draw).observe(place);
  addEventListener('themechange', draw);
  return place;
}

function data(buckets) {
  const column = (name) => buckets.map((bucket) => bucket[name] ?? null);
  return [buckets.map((bucket) => Date.parse(bucket.bucket) / 1000), column('p50_ms'), column('p95_ms'), column('p99_ms'), column('budget_ms')];
}

function options(width, marks, buckets) {
  const [text, grid, p50, p95, p99, budget] = ['--muted', '--grid', '--p50', '--p95', '--p99', '--bad'].map(resolved);
  const line = (label, stroke, more = {}) => ({ label, stroke, width: 2, points: { show: buckets.length < 80, size: 5 }, value: (_, value) => ms(value), ...more });
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    width,
    height: HEIGHT,
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: true, range: padded }, y: { range: () => [0, highest(buckets) * 1.08] } },
    axes: [{ ...axis, values: (_, splits, __, ___, step) => splits.map((at) => axisTime(at * 1000, step)) }, { ...axis, size: 72, values: (_, values) => values.map(ms) }],
    series: [
      { label: 'at', value: (_, value) => (value ? moment(value * 1000) : 'point at the chart') },
      line('p50', p50), line('p95', p95), line('p99', p99, { dash: [5, 4] }),
      line('budget', budget, { width: 1.5, dash: [10, 5], points: { show: false }, spanGaps: true }),
    ],
    bands: [{ series: [2, 1], fill: veiled(p50, 0.16) }, { series: [3, 2], fill: veiled(p95, 0.14) }],
    hooks: { draw: [(plot) => marks.forEach((mark, row) => drawMark(plot, mark, row))] },
  };
}

/** A budget far above all latencies is left out of sight, or they would lie flat on the ground. */
export const isOutOfSight = (buckets) => (buckets.at(-1).budget_ms ?? 0) > highest(buckets);

function highest(buckets) {
  const most = Math.max(...buckets.map((bucket) => bucket.p99_ms ?? 0)) || 1;
  return Math.max(most, ...buckets.map((bucket) => bucket.budget_ms ?? 0).filter((budget) => budget <= most * IN_SIGHT));
}

/** Room at both ends. A single bucket stands amid two days; uPlot itself would give it years. */
function padded({ data: [at] }) {
  const [from, to] = [at[0], at.at(-1)];
  const room = from === to ? DAY : Math.max((to - from) * 0.02, 60);
  return [from - room, to + room];
}

/** Each says its text in a row of its own: two changes may stand side by side. */
function drawMark(plot, mark, row) {
  const x = Math.round(plot.valToPos(mark.at, 'x', true));
  const { left, top, width, height } = plot.bbox;
  if (x < left || x > left + width) return;
  const pen = plot.ctx;
  pen.save();
  pen.strokeStyle = pen.fillStyle = resolved(mark.better ? '--good' : '--bad');
  pen.lineWidth = 2;
  pen.setLineDash([3, 3]);
  pen.beginPath();
  pen.moveTo(x, top);
  pen.lineTo(x, top + height);
  pen.stroke();
  pen.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  const right = x + pen.measureText(mark.text).width + 8 > left + width;
  pen.textAlign = right ? 'right' : 'left';
  pen.fillText(mark.text, x + (right ? -5 : 5), top + 14 * (1 + (row % ROWS)) * devicePixelRatio);
  pen.restore();
}
