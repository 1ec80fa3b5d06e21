// What people say of a finding: confirmed, muted for a while, over.

import { again } from './address.js';
import { tell } from './api.js';
import { h } from './dom.js';

const STATES = [['confirmed', 'Confirmed'], ['muted', 'Muted'], ['resolved', 'Resolved'], ['open', 'Open']];

/** Fields to say it with, folded; `kind` is what the API calls the list. Things without an id are spoken of nowhere. */
export function saying(kind, one, tenant) {
  if (!one.id) return null;
  const first = one.state === 'open' ? 'confirmed' : one.state;
  const state = h('select', { name: 'state' }, STATES.map(([value, text]) => h('option', { value, selected: value === first }, text)));
  const field = (name, label, type, value) => h('label', {}, h('span', {}, label), h('input', { name, type, value: value ?? '', autocomplete: 'off' }));
  const refused = h('p', { class: 'refused', role: 'alert' });
  const fields = h('div', { class: 'fields', role: 'group', 'aria-label': 'What is to be said of it' },
    h('label', {}, h('span', {}, 'State'), state), field('owner', 'Owner', 'text', one.owner), field('reason', 'Reason', 'text', one.reason),
    field('until', 'Muted until', 'date', one.muted_until?.slice(0, 10)),
    h('button', { type: 'button', click: () => send(fields, `/${kind}/${encodeURIComponent(one.id)}/state`, tenant, refused) }, 'Say so'), refused);
  return h('details', { class: 'saying' }, h('summary', {}, one.state === 'muted' ? 'Muted' : 'Mute or confirm'), fields);
}

/** The last column of a table of such things. */
export const said = (kind, tenant) => ({ key: 'said', title: 'Said of it', cell: (one) => [one.owner ? h('span', { title: one.reason }, `${one.state}, ${one.owner}`) : null, saying(kind, one, tenant)] });

async function send(fields, path, tenant, refused) {
  const given = [...fields.querySelectorAll('select, input')].map(({ name, value }) => [name, value.trim()]);
  const said = Object.fromEntries(given.filter(([, value]) => value !== ''));
  if (said.until) said.until = `${said.until}T23:59:59Z`;
  try {
    await tell(path, { tenant }, said);
    again();
  } catch (problem) {
    refused.textContent = problem.message;
  }
}
