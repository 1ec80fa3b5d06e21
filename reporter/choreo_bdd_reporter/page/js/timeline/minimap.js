// The whole timeline as a strip a few pixels high, with the shown stretch in front; dragging chooses another.

import { el } from '../core/dom.js';
import { endOf } from './timescale.js';

const HEIGHT = 44;
const INKS = ['plain', 'pass', 'slow', 'fail', 'timeout', 'view'];

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
      const inks = new Map(INKS.map((name, index) => [name, getComputedStyle(probes[index]).color]));
      const paint = canvas.getContext('2d');
      if (!paint) return;
      /** @param {number} ms */
      const x = (ms) => (ms - whole.from) / (whole.to - whole.from) * canvas.width;
      rows.forEach((row, index) => {
        paint.fillStyle = inks.get(tone(row)) ?? '';
        paint.fillRect(x(row.start), index / rows.length * HEIGHT, Math.max(2, x(endOf(row)) - x(row.start)), Math.max(1, HEIGHT / rows.length));
      });
      paint.fillStyle = inks.get('view') ?? '';
      paint.globalAlpha = 0.25;
      paint.fillRect(x(view.from), 0, Math.max(3, x(view.to) - x(view.from)), HEIGHT);
    },
  };
}
