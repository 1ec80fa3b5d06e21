// The bar between the list and the scenario: dragged, or moved with the arrow keys; the width outlives the visit.

import { el, find } from '../core/dom.js';
import { readPreference, writePreference } from '../core/preferences.js';

const NARROWEST = 240;
const BESIDE = 400;
const STEP = 20;

/** @param {HTMLElement} root */
export function createResizer(root) {
  /** @type {HTMLElement} */
  const body = find(root, '.hr-body');
  /** @type {HTMLElement} */
  const side = find(root, '.hr-side');
  const bar = el('div.hr-resizer', { role: 'separator', tabindex: '0', 'aria-orientation': 'vertical', 'aria-label': 'Width of the list', 'aria-valuemin': NARROWEST, title: 'Drag to widen the list; double-click for its own width' });
  const widest = () => Math.max(NARROWEST, body.clientWidth - BESIDE);
  const tell = () => {
    bar.setAttribute('aria-valuemax', String(Math.round(widest())));
    bar.setAttribute('aria-valuenow', String(Math.round(side.getBoundingClientRect().width)));
  };
  /** @param {number | null} width */
  const show = (width) => {
    if (width === null) body.style.removeProperty('--hr-side');
    else body.style.setProperty('--hr-side', `${Math.round(Math.min(widest(), Math.max(NARROWEST, width)))}px`);
    tell();
  };
  /** @param {number | null} width */
  const keep = (width) => {
    show(width);
    writePreference('side', body.style.getPropertyValue('--hr-side'));
  };
  bar.addEventListener('pointerdown', (event) => {
    bar.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  bar.addEventListener('pointermove', (event) => bar.hasPointerCapture(event.pointerId) && keep(event.clientX - body.getBoundingClientRect().left));
  bar.addEventListener('dblclick', () => keep(null));
  bar.addEventListener('keydown', (event) => {
    const now = side.getBoundingClientRect().width;
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: now - STEP, ArrowRight: now + STEP, Home: NARROWEST, End: widest() };
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    keep(moves[event.key]);
  });
  const kept = Number.parseInt(readPreference('side', ''), 10);
  side.after(bar);
  show(Number.isNaN(kept) ? null : kept);
  addEventListener('resize', () => show(Number.parseInt(body.style.getPropertyValue('--hr-side'), 10) || null));
}
