// The whole timeline as a strip a few pixels high, with the shown stretch in front; dragging chooses another.

import { el } from '../core/dom.js';
import { endOf } from './timescale.js';

const HEIGHT = 44;
const INKS = ['plain', 'pass', 'slow', 'fail', 'timeout', 'view'];

// Four bytes: red, green, blue, and that it covers.
/** @param {string} colour */
function pixelOf(colour) {
  const [red, green, blue] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}

// The ink of each pixel, counted from 1: of many rows that fall on one, the worst shows.
/**
 * @param {Page.TimelineRow[]} rows
 * @param {(row: Page.TimelineRow) => string} tone
 * @param {(ms: number) => number} x
 * @param {number} width
 */
function inked(rows, tone, x, width) {
  const cells = new Uint8Array(width * HEIGHT);
  const places = new Map(INKS.map((name, index) => [name, index + 1]));
  rows.forEach((row, index) => {
    const ink = places.get(tone(row)) ?? 1;
    const from = Math.max(0, Math.min(width - 2, x(row.start)));
    const to = Math.min(width, Math.max(from + 2, x(endOf(row))));
    const top = Math.floor(index / rows.length * HEIGHT);
    const below = Math.max(top + 1, Math.floor((index + 1) / rows.length * HEIGHT));
    for (let line = top; line < below; line += 1) {
      for (let at = line * width + from; at < line * width + to; at += 1) if (cells[at] < ink) cells[at] = ink;
    }
  });
  return cells;
}

/**
 * @param {Page.TimelineRow[]} rows
 * @param {(row: Page.TimelineRow) => string} tone
 * @param {(view: Page.Stretch) => void} onView
 */
export function createMinimap(rows, tone, onView) {
  const canvas = el('canvas.hr-minimap-canvas', { height: HEIGHT });
  const probes = INKS.map((name) => el('i', { class: `hr-ink hr-tone--${name}` }));
  const node = el('div.hr-minimap', { 'aria-hidden': 'true' }, canvas, probes);
  let limits = { from: 0, to: 1 };

  /** @param {PointerEvent} event */
  const timeAt = (event) => {
    const box = canvas.getBoundingClientRect();
    return limits.from + Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * (limits.to - limits.from);
  };
  canvas.addEventListener('pointerdown', (down) => {
    const from = timeAt(down);
    canvas.setPointerCapture(down.pointerId);
    /** @param {PointerEvent} event */
    const move = (event) => {
      const to = timeAt(event);
      if (Math.abs(to - from) > (limits.to - limits.from) / 200) onView({ from: Math.min(from, to), to: Math.max(from, to) });
    };
    canvas.addEventListener('pointermove', move);
    canvas.addEventListener('pointerup', () => canvas.removeEventListener('pointermove', move), { once: true });
  });

  return {
    node,
    /**
     * @param {Page.Stretch} whole
     * @param {Page.Stretch} view
     */
    draw(whole, view) {
      limits = whole;
      canvas.width = canvas.clientWidth || 600;
      const paint = canvas.getContext('2d');
      if (!paint) return;
      /** @param {number} ms */
      const x = (ms) => Math.round((ms - whole.from) / (whole.to - whole.from) * canvas.width);
      const image = paint.createImageData(canvas.width, HEIGHT);
      const colours = probes.map((probe) => getComputedStyle(probe).color);
      const inks = new Uint32Array([0, ...colours.map(pixelOf)]);
      const cells = inked(rows, tone, x, canvas.width);
      const pixels = new Uint32Array(image.data.buffer);
      for (let at = 0; at < cells.length; at += 1) pixels[at] = inks[cells[at]];
      paint.putImageData(image, 0, 0);
      paint.fillStyle = colours.at(-1) ?? '';
      paint.globalAlpha = 0.25;
      paint.fillRect(x(view.from), 0, Math.max(3, x(view.to) - x(view.from)), HEIGHT);
    },
  };
}
