// Numbers and moments as people read them. A value that is missing is a dash.

export const NONE = '–';

/** A table of words, which knows those only: what reports say is looked up in it. */
export const words = (entries) => Object.assign(Object.create(null), entries);

export function ms(value) {
  if (value === null || value === undefined) return NONE;
  if (value < 1) return value === 0 ? '0 ms' : `${value.toPrecision(1)} ms`;
  if (value < 100) return `${value.toFixed(1)} ms`;
  return value < 10_000 ? `${Math.round(value)} ms` : duration(value);
}

export function duration(value) {
  if (value < 999.5) return `${Math.round(value)} ms`;
  if (value < 59_950) return `${(value / 1000).toFixed(1)} s`;
  const seconds = Math.round(value / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** What is nearly all is not all, and what is nearly nothing not nothing. */
export function percent(share, digits = 1) {
  if (share === null || share === undefined) return NONE;
  const [told, step] = [(share * 100).toFixed(digits).replace('-', '−'), 10 ** -digits];
  if (Number(told) === 100 && share < 1) return `> ${(100 - step).toFixed(digits)} %`;
  return Number(told) === 0 && share > 0 ? `< ${step.toFixed(digits)} %` : `${told} %`;
}

/** A change with its sign, as a change point has it. */
export const change = (value) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toFixed(value > -10 && value < 10 ? 1 : 0)} %`;

export const count = (value) => (value === null || value === undefined ? NONE : value.toLocaleString('en'));

export const commit = (sha) => (sha ? sha.slice(0, 10) : NONE);

const MOMENT = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });

export const moment = (text) => (text ? MOMENT.format(new Date(text)) : NONE);

const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** A moment on an axis whose ticks are `step` seconds apart. */
export const axisTime = (at, step) => (step >= 86_400 || new Date(at).getHours() + new Date(at).getMinutes() === 0 ? DAY : TIME).format(at);

const STEPS = [[60, 'minute', 60], [24, 'hour', 3600], [Infinity, 'day', 86_400]];
const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** How long ago, from now on. */
export function ago(text, now = Date.now()) {
  if (!text) return NONE;
  const seconds = (new Date(text).getTime() - now) / 1000;
  if (Math.abs(seconds) < 60) return 'just now';
  const [, unit, size] = STEPS.find(([most, , size_]) => Math.abs(seconds) / size_ < most);
  return AGO.format(Math.round(seconds / size), unit);
}
