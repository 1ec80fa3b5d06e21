// The stretch of time a timeline shows, and its ticks.

import { trimZeros } from '../core/format.js';

const SHORTEST_MS = 0.001;
// A deadline this much later than the last message would squeeze all messages into one column.
const SQUEEZE = 4;
const FREE_LEAD = 0.2;

// The spans of everything and of the messages alone (deadlines and waits left out), from the first of them on.
/** @param {Page.TimelineRow[]} rows */
export function timeSpans(rows) {
  /** @param {Page.TimelineRow[]} list */
  const ends = (list) => list.reduce((latest, row) => Math.max(latest, row.end, row.judged ?? 0), 0);
  const first = rows.reduce((earliest, row) => Math.min(earliest, row.start), Infinity);
  const whole = ends(rows);
  const messages = ends(rows.filter((row) => !isWait(row))) || whole;
  // a scope may be open for long before its first message; that time says nothing
  const from = first > FREE_LEAD * messages && first < messages ? first : 0;
  return { from, whole, messages, squeezed: (messages - from) * SQUEEZE < whole - from };
}

/** @param {Page.TimelineRow} row */
export function endOf(row) {
  return row.judged ?? row.end;
}

/** @param {Page.TimelineRow} row */
export function isWait(row) {
  return row.kind === 'deadline' || row.kind === 'absent';
}

// A view on the time: { from, to } in ms. Whole views are widened to round ticks, zoomed ones are taken as they are.
/**
 * @param {number} from
 * @param {number} to
 * @returns {Page.Stretch}
 */
export function roundView(from, to) {
  const step = tickStep(to - from);
  return { from: Math.max(0, Math.floor(from / step + 1e-9) * step), to: Math.ceil((to + (to - from) * 0.02) / step - 1e-9) * step || step };
}

/**
 * @param {Page.Stretch} view
 * @param {number} factor
 * @param {number} at
 * @param {Page.Stretch} limits
 */
export function zoomedView(view, factor, at, limits) {
  const span = Math.min(limits.to - limits.from, Math.max(SHORTEST_MS, (view.to - view.from) * factor));
  /** @param {number} ms */
  const share = (at - view.from) / (view.to - view.from);
  return within({ from: at - share * span, to: at + (1 - share) * span }, limits);
}

// What zooming keeps where it is: of the rows in sight the first of the `wanted` ids, else the one nearest to the middle.
/**
 * @param {Page.TimelineRow[]} rows
 * @param {(string | null)[]} wanted
 * @param {Page.Stretch} view
 */
export function centreOf(rows, wanted, { from, to }) {
  const middle = (from + to) / 2;
  const inSight = rows.filter((row) => row.anchor >= from && row.anchor <= to);
  const kept = wanted.map((id) => inSight.find((row) => row.id === id)).find(Boolean);
  const [nearest] = inSight.sort((a, b) => Math.abs(a.anchor - middle) - Math.abs(b.anchor - middle));
  return (kept ?? nearest)?.anchor ?? middle;
}

/**
 * @param {Page.Stretch} view
 * @param {number} ms
 * @param {Page.Stretch} limits
 */
export function pannedView(view, ms, limits) {
  return within({ from: view.from + ms, to: view.to + ms }, limits);
}

/**
 * @param {Page.Stretch} view
 * @param {Page.Stretch} limits
 * @returns {Page.Stretch}
 */
function within({ from, to }, limits) {
  const back = Math.max(0, to - limits.to);
  const ahead = Math.max(0, limits.from - (from - back));
  return { from: from - back + ahead, to: to - back + ahead };
}

// An axis: shares of the view, and ticks in one unit with no more digits than their distance needs.
// `clock` turns an offset into a wall clock time; without it offsets are shown.
/**
 * @param {Page.Stretch} view
 * @param {Page.Clock | null} [clock]
 * @returns {Page.Axis}
 */
export function timeAxis({ from, to }, clock = null) {
  const unit = to < 1 ? { name: 'µs', ms: 0.001 } : to < 10_000 ? { name: 'ms', ms: 1 } : { name: 's', ms: 1000 };
  const step = tickStep(to - from);
  const digits = Math.max(0, -Math.floor(Math.log10(step / unit.ms) + 1e-9));
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  /** @param {number} ms */
  const share = (ms) => Math.max(0, Math.min(1, (ms - from) / (to - from)));
  const ticks = Array.from({ length: count }, (_, index) => {
    const ms = (first + index) * step;
    return { share: share(ms), label: clock ? clock(ms, step) : `${trimZeros((ms / unit.ms).toFixed(digits + 1))} ${unit.name}` };
  });
  return { from, to, share, ticks, grid: { first: share(first * step) / Math.max(1e-9, 1 - step / (to - from)), step: step / (to - from) } };
}

/** @param {number} span */
function tickStep(span) {
  const rough = Math.max(span, SHORTEST_MS) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 2.5, 5].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
}

// Wall clock times, with as many digits of a second as the distance between two ticks asks for.
/**
 * @param {Page.TimelineRow[]} rows
 * @returns {Page.Clock | null}
 */
export function wallClock(rows) {
  const known = rows.find((row) => row.event?.wall_clock);
  if (!known?.event) return null;
  const began = Date.parse(known.event.wall_clock) - known.anchor;
  /** @type {Page.Clock} */
  const clock = (ms, step = 0.001) => {
    const time = new Date(began + ms);
    const seconds = time.getSeconds() + ((began + ms) % 1000 + 1000) % 1000 / 1000;
    const digits = step >= 1000 ? 0 : step >= 1 ? 3 : 6;
    /** @param {number} number */
    const two = (number) => String(number).padStart(2, '0');
    return `${two(time.getHours())}:${two(time.getMinutes())}:${seconds.toFixed(digits).padStart(digits ? digits + 3 : 2, '0')}`;
  };
  return clock;
}
