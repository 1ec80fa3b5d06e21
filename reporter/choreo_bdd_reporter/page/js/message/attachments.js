// What a test or its steps attached: images are shown, texts and JSON read, anything else is named.

import { terminalText } from './ansi.js';
import { el, lazyDetails, saveLink } from '../core/dom.js';
import { bytes, plural } from '../core/format.js';
import { exactJson } from '../core/values.js';
import { jsonBlock } from './json.js';

// Halves of surrogate pairs, which no address can hold.
const LONE = /\p{Surrogate}/gu;
const IMAGE = /^image\/(png|jpeg|gif|webp)$/;

/** @param {Page.Detail} detail */
export function renderAttachments({ attachments, steps }) {
  return attachments.length > 0 && el('section', {}, el('h3.hr-label', {}, plural(attachments.length, 'Attachment')), attachments.map((each, index) => lazyDetails(
    { class: 'hr-fold', 'data-attachment': each.media_type }, `${each.name || `attachment ${index + 1}`}, ${each.media_type}, ${bytes(each.size)}${each.cut ? ', cut' : ''}${inStep(steps[each.step ?? -1])}`,
    () => [each.cut && cutNote(each), content(each), save(each)],
  )));
}

/** @param {Page.Step | undefined} step */
function inStep(step) {
  return step ? `, in: ${step.text}` : '';
}

/** @param {Page.Attachment} attachment */
function cutNote({ text, size }) {
  return el('p.hr-note.hr-note--warn', {}, text == null ? `Left out: with ${bytes(size)} it is too large for a report.` : `Cut: the first part of ${bytes(size)}.`);
}

/** @param {Page.Attachment} attachment */
function save({ text, base64, name }) {
  const body = base64 == null ? text && `,${encodeURIComponent(text.replace(LONE, '\ufffd'))}` : `;base64,${base64}`;
  return body && saveLink(body, name || 'attachment');
}

/** @param {Page.Attachment} attachment */
function content({ media_type: type, text, base64, name }) {
  if (text != null) return (type === 'application/json' && jsonText(text)) || el('pre.hr-pre', { tabindex: '0' }, terminalText(text));
  if (base64 == null) return null;
  if (IMAGE.test(type)) return el('img.hr-picture', { src: `data:${type};base64,${base64}`, alt: name || 'attached image' });
  return el('p.hr-note', {}, 'This kind of file cannot be shown here.');
}

// Nothing where it is no JSON, as when it was cut.
/** @param {string} text */
function jsonText(text) {
  try {
    return jsonBlock(exactJson(text));
  } catch {
    return null;
  }
}
