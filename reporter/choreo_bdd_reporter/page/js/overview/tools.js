// The buttons of the header: facts of the run, theme, keyboard help.

import { button, el, fill, find } from '../core/dom.js';
import { aboutList } from './header.js';
import { readPreference, writePreference } from '../core/preferences.js';

const THEMES = [['auto', 'Auto'], ['light', 'Light'], ['dark', 'Dark']];

const KEYS = [
  ['/', 'search'], ['j  k', 'next, previous scenario'], ['f', 'next failed scenario'],
  ['[  ]', 'collapse, expand the tree'], ['↑ ↓ ← →', 'move in the tree and the message timeline'],
  ['Enter', 'open what is focused'], ['w  s', 'zoom the timeline in, out; also + and −, ctrl + wheel'], ['a  d', 'move along the timeline; also by dragging'],
  ['0', 'show the whole timeline again'], ['Esc', 'close, or clear the search'], ['?', 'this sheet'],
];

const TERMS = [
  ['late order', 'both words'], ['"late order"', 'these words'], ['!word', 'without it; ! works before every term'], ['@tag', 'this tag'],
  ['s:failing', 'all that the headline counts as failed'], ['s:fail,slow', 'one of these verdicts; also timeout, error, pass, skip, flaky'], ['t:kafka', 'on this transport'], ['c:orders.*', 'expects this topic; * one segment, > the rest'], ['broke:orders.*', 'an expectation on this topic was not met'],
  ['is:regressed', 'passed before and fails now; also is:fixed, is:new, is:flaky'], ['f:checkout', 'in this feature'], ['cause:"too late"', 'broke for this cause'], ['hop>50ms', 'a message took longer'], ['budget<10%', 'a message left less of its budget'],
  ['took>1s', 'the scenario took longer'], ['miss:>0', 'had near-misses'],
];

/**
 * @param {HTMLElement} root
 * @param {Page.Model} model
 */
export function renderTools(root, model) {
  fill(find(root, '[data-slot="tools"]'), aboutPopover(model), themeSwitch(root), helpButton(root));
  fillHelp(find(root, '[data-slot="help"]'));
}

/** @param {Page.Model} model */
function aboutPopover(model) {
  const panel = el('div.hr-popover', { id: 'hr-about-panel', hidden: true }, aboutList(model));
  const toggle = button('About this run', () => show(panel.hidden), {
    class: 'hr-button', 'data-field': 'about-toggle', 'aria-expanded': 'false', 'aria-controls': 'hr-about-panel',
  });
  /** @param {boolean} open */
  const show = (open) => {
    panel.hidden = !open;
    toggle.setAttribute('aria-expanded', String(open));
  };
  const holder = el('div.hr-popover-holder', {}, toggle, panel);
  holder.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !panel.hidden) {
      show(false);
      toggle.focus();
      event.stopPropagation();
    }
  });
  document.addEventListener('click', (event) => event.target instanceof Node && holder.contains(event.target) || show(false));
  return holder;
}

/** @param {HTMLElement} root */
function themeSwitch(root) {
  /** @param {string} theme */
  const choose = (theme) => {
    root.setAttribute('data-theme', theme);
    for (const node of buttons) node.setAttribute('aria-pressed', String(node.getAttribute('data-theme-choice') === theme));
  };
  /** @param {string} theme */
  const pick = (theme) => () => {
    choose(theme);
    writePreference('theme', theme);
  };
  const buttons = THEMES.map(([name, label]) => button(label, pick(name), { class: null, 'data-theme-choice': name }));
  const kept = readPreference('theme', 'auto');
  choose(THEMES.some(([name]) => name === kept) ? kept : 'auto');
  return el('div.hr-switch', { role: 'group', 'aria-label': 'Colour theme' }, buttons);
}

/** @param {HTMLElement} root */
function helpButton(root) {
  return button('?', () => toggleHelp(root), { class: 'hr-button', 'aria-label': 'Keyboard shortcuts' });
}

/** @param {HTMLElement} root */
export function toggleHelp(root) {
  /** @type {HTMLDialogElement} */
  const dialog = find(root, '[data-slot="help"]');
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

/** @param {HTMLDialogElement} dialog */
function fillHelp(dialog) {
  fill(dialog,
    el('h2', { id: 'hr-help-title' }, 'Keyboard'),
    el('dl.hr-keys', {}, KEYS.map(([keys, what]) => [
      el('dt', {}, keys.split('  ').map((key) => el('kbd', {}, key))), el('dd', {}, what),
    ])),
    el('h2', {}, 'Search'),
    el('dl.hr-keys', {}, TERMS.map(([term, what]) => [el('dt', {}, el('kbd', {}, term)), el('dd', {}, what)])),
    button('Close', () => dialog.close(), { class: 'hr-button' }));
}
