// "What broke": failed scenarios grouped by cause and topic; a group narrows the tree.

import { button, el, fill, find } from '../core/dom.js';
import { hopName, plural } from '../core/format.js';
import { causeGroups, causeLabel } from './findings.js';
import { transportBadge } from '../core/transports.js';
import { verdictBadge } from '../core/verdicts.js';

const FIRST = 3;
const ON_PAPER = 500;

/**
 * @param {HTMLElement} root
 * @param {Page.Context} context
 */
export function createBroke(root, context) {
  const { model } = context;
  /** @type {HTMLElement} */
  const host = find(root, '[data-slot="broke"]');
  const groups = causeGroups(model.entries);
  if (groups.length === 0) return { update() {} };
  const items = groups.map((group, index) => causeItem(group, context, index >= FIRST));
  const list = el('ul.hr-causes', {}, items);
  fill(host, el('h2.hr-label', {}, 'What broke'), list, groups.length > FIRST && moreButton(items, groups.length));
  host.hidden = false;
  const paper = el('ol.hr-print', {});
  host.append(paper);
  addEventListener('beforeprint', () => fill(paper, printed(model)));
  return {
    /** @param {Page.View} view */
    update(view) {
      items.forEach((item, index) => {
        const pressed = view.cause === groups[index].key;
        item.firstElementChild?.setAttribute('aria-pressed', String(pressed));
        if (pressed) item.hidden = false;
      });
    },
  };
}

// On paper nothing can be opened: every failure stands there with its cause.
/** @param {Page.Model} model */
function printed(model) {
  const failing = model.entries.filter((entry) => entry.failing);
  return [
    failing.slice(0, ON_PAPER).map((entry) => el('li', {}, el('strong', {}, entry.name), ': ', causeLabel(entry.findings[0]), '. ', entry.findings[0].sentence, ' ', el('span.hr-note', {}, entry.group.name))),
    failing.length > ON_PAPER && el('li', {}, `${plural(failing.length - ON_PAPER, 'more', 'more')}, in results.json`),
  ];
}

/**
 * @param {Page.CauseGroup} group
 * @param {Page.Context} context
 * @param {boolean} hidden
 */
function causeItem(group, context, hidden) {
  const { views, model } = context;
  const { finding, entries } = group;
  const shared = entries.length > 1 && finding.topic ? { ...finding, topic: hopName(finding.topic) } : finding;
  const choose = () => {
    const chosen = views.current.cause === group.key;
    views.set(chosen ? { cause: null } : { cause: group.key, test: entries[0].id, event: null, tab: null }, { remember: true });
  };
  return el('li', { hidden }, button([
    verdictBadge(group.status),
    el('span.hr-cause-text', {},
      el('strong', {}, causeLabel(shared)), ' ', transportBadge(context, finding.transport), ' ',
      el('span.hr-note', {}, entries.length === 1 ? finding.sentence : `e.g. ${finding.sentence}`)),
    el('span.hr-cause-count', {}, plural(entries.length, model.noun)),
  ], choose, { class: 'hr-cause', 'aria-pressed': 'false' }));
}

/**
 * @param {HTMLElement[]} items
 * @param {number} count
 */
function moreButton(items, count) {
  const node = button(`Show all ${count} causes`, () => {
    for (const item of items) item.hidden = false;
    node.remove();
  }, { class: 'hr-link-button hr-no-print' });
  return node;
}
