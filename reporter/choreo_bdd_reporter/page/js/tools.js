// The buttons of the header: facts of the run, theme, keyboard help.

import { el, fill } from './dom.js';
import { aboutList } from './header.js';
import { readPreference, writePreference } from './preferences.js';

const THEMES = [['auto', 'Auto'], ['light', 'Light'], ['dark', 'Dark']];

const KEYS = [
  ['/', 'search'], ['j  k', 'next, previous scenario'], ['f', 'next failed scenario'],
  ['[  ]', 'collapse, expand the tree'], ['↑ ↓ ← →', 'move in the tree and the message timeline'],
  ['Enter', 'open what is focused'], ['Esc', 'close, or clear the search'], ['?', 'this sheet'],
];

export function renderTools(root, model) {
  fill(root.querySelector('[data-slot="tools"]'), aboutPopover(model.run), themeSwitch(root), helpButton(root));
  fillHelp(root.querySelector('[data-slot="help"]'));
}

function aboutPopover(run) {
  const panel = el('div', { class: 'hr-popover', id: 'hr-about-panel', hidden: true }, aboutList(run));
  const toggle = el('button', {
    type: 'button', class: 'hr-button', 'data-field': 'about-toggle', 'aria-expanded': 'false', 'aria-controls': 'hr-about-panel',
  }, 'About this run');
  const show = (open) => {
    panel.hidden = !open;
    toggle.setAttribute('aria-expanded', String(open));
  };
  toggle.addEventListener('click', () => show(panel.hidden));
  const holder = el('div', { class: 'hr-popover-holder' }, toggle, panel);
  holder.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !panel.hidden) {
      show(false);
      toggle.focus();
      event.stopPropagation();
    }
  });
  document.addEventListener('click', (event) => holder.contains(event.target) || show(false));
  return holder;
}

function themeSwitch(root) {
  const buttons = THEMES.map(([name, label]) => el('button', { type: 'button', 'data-theme-choice': name }, label));
  const choose = (theme) => {
    root.setAttribute('data-theme', theme);
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.getAttribute('data-theme-choice') === theme));
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const theme = button.getAttribute('data-theme-choice');
      choose(theme);
      writePreference('theme', theme);
    });
  }
  const kept = readPreference('theme', 'auto');
  choose(THEMES.some(([name]) => name === kept) ? kept : 'auto');
  return el('div', { class: 'hr-switch', role: 'group', 'aria-label': 'Colour theme' }, buttons);
}

function helpButton(root) {
  return el('button', { type: 'button', class: 'hr-button', 'aria-label': 'Keyboard shortcuts', on: { click: () => toggleHelp(root) } }, '?');
}

export function toggleHelp(root) {
  const dialog = root.querySelector('[data-slot="help"]');
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function fillHelp(dialog) {
  fill(dialog,
    el('h2', { id: 'hr-help-title' }, 'Keyboard'),
    el('dl', { class: 'hr-keys' }, KEYS.map(([keys, what]) => [
      el('dt', {}, keys.split('  ').map((key) => el('kbd', {}, key))), el('dd', {}, what),
    ])),
    el('button', { type: 'button', class: 'hr-button', on: { click: () => dialog.close() } }, 'Close'));
}
