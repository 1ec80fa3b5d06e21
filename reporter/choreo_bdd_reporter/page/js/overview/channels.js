// Which channels of the AsyncAPI documents the run has touched, and which no scenario has.

import { el } from '../core/dom.js';
import { percent, plural } from '../core/format.js';

/** @param {Page.Model} model */
export function renderChannels({ channels, noun }) {
  if (!channels) return null;
  const { spec, touched, untouched } = channels;
  const all = touched.length + untouched.length;
  return el('section.hr-channels', {},
    el('h3.hr-label', {}, `${touched.length} of ${plural(all, 'channel')} touched (${percent(touched.length, all)})`, ' ', el('span.hr-note', {}, spec)),
    untouched.length > 0 && el('p', {}, `No ${noun} has spoken or heard on:`),
    untouched.length > 0 && el('ul', {}, untouched.map((name) => el('li', {}, el('code.hr-topic', {}, name)))));
}
