// Text as a terminal prints it: colours and weight become spans, every other escape sequence is dropped.

import { el } from '../core/dom.js';

const SEQUENCES = /\u001b\[([\d;]*)([A-Za-z])/g;
const TONES = ['plain', 'fail', 'pass', 'slow', 'info', 'timeout', 'info', 'plain'];

/** @param {string} text */
export function terminalText(text) {
  /** @type {Page.Child[]} */
  const nodes = [];
  /** @type {string[]} */
  let classes = [];
  text.split(SEQUENCES).forEach((piece, index, pieces) => {
    if (index % 3 === 0 && piece) nodes.push(classes.length > 0 ? el('span', { class: classes.join(' ') }, piece) : piece);
    if (index % 3 === 1 && pieces[index + 1] === 'm') classes = piece.split(';').reduce(styled, classes);
  });
  return nodes;
}

/**
 * @param {string[]} classes
 * @param {string} code
 */
function styled(classes, code) {
  const number = Number(code);
  if (number === 0) return [];
  if (number === 1) return [...classes, 'hr-ansi-bold'];
  const tone = TONES[number >= 90 ? number - 90 : number - 30];
  return tone ? [...classes.filter((name) => name === 'hr-ansi-bold'), `hr-ansi-${tone}`] : classes;
}
