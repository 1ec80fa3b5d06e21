// The search language: words, "quoted words", @tag, s:failed, t:kafka, c:orders.*, broke:orders.*, f:checkout, is:regressed, cause:late, hop>50ms, budget<10%,
// took>1s, miss:>0; a ! in front turns a term around, a space means "and". What is no such term is a word.

import { CHANGES } from '../core/changes.js';
import { hopName } from '../core/format.js';
import { arrived, headroom } from '../core/model.js';
import { verdictKind, verdictNamed } from '../core/verdicts.js';

// a quote that is still to be closed ends with the search
const TERM = /(!?)(?:([a-z]+:|@)"([^"]*)(?:"|$)|"([^"]*)(?:"|$)|((?:hop|budget|took|miss):?\s*[<>=]+\s*\S+|\S+))/g;
const FIELD = /^([a-z]+:|@)(.+)$/;
const MEASURE = /^(hop|budget|took|miss):?(>=|<=|>|<|=)(\d+(?:\.\d+)?)(µs|us|ms|s|%)?$/;
const MEASURED = /^(?:hop|budget|took|miss):?[<>=]/;
/** @type {Record<string, number>} */
const SCALES = { 'µs': 0.001, us: 0.001, ms: 1, s: 1000 };

/** @type {Record<string, (a: number, b: number) => boolean>} */
const COMPARE = {
  '>': (a, b) => a > b, '<': (a, b) => a < b, '>=': (a, b) => a >= b, '<=': (a, b) => a <= b, '=': (a, b) => a === b,
};

/** @type {Record<string, (entry: Page.Entry) => number[]>} */
const MEASURES = {
  hop: (entry) => entry.hops().filter(arrived).map((hop) => hop.latency),
  budget: (entry) => entry.hops().map(headroom).filter((share) => share !== null).map((share) => share * 100),
  took: (entry) => [entry.durationMs],
  miss: (entry) => entry.hops().map((hop) => hop.misses),
};

// What a field's value asks of an entry.
/** @type {Record<string, (value: string) => Page.Ask>} */
const FIELDS = {
  's:': (value) => {
    const words = value.split(',');
    return (entry) => words.some((word) => verdictNamed(word) === verdictKind(entry.outcome) || MARKED[word]?.(entry));
  },
  't:': (value) => (entry) => transportsOf(entry).some((name) => name.toLowerCase() === value),
  'c:': (value) => {
    const fits = topicTest(value);
    return (entry) => [...entry.topics()].some(fits);
  },
  'broke:': (value) => {
    const fits = topicTest(value);
    return (entry) => entry.hops().some((hop) => !arrived(hop) && fits(hop.topic));
  },
  'f:': (value) => (entry) => `${entry.group.name}\n${entry.group.where}`.toLowerCase().includes(value),
  'is:': (value) => {
    const wanted = value.split(',').filter((word) => Object.hasOwn(CHANGES, word));
    return (entry) => wanted.some((word) => CHANGES[word](entry));
  },
  'cause:': (value) => (entry) => entry.findings.some((finding) => finding.cause.toLowerCase().includes(value)),
  '@': (value) => (entry) => entry.allTags().some((tag) => tagName(tag).toLowerCase() === value),
};

/** @type {Record<string, Page.Ask>} */
const MARKED = { failing: (entry) => entry.failing, flaky: CHANGES.flaky, vacuous: (entry) => entry.warnings.length > 0 };

const VERDICT_WORDS = 'pass, slow, fail, timeout, error, skip, failing, flaky, vacuous';

// The values of a field that mean nothing, and what it takes.
/** @type {Record<string, (value: string) => string[]>} */
const MISTAKES = {
  's:': (value) => told(value, (word) => verdictNamed(word) || Object.hasOwn(MARKED, word), `no verdict; s: takes ${VERDICT_WORDS}`),
  'is:': (value) => told(value, (word) => Object.hasOwn(CHANGES, word), `no change; is: takes ${Object.keys(CHANGES).join(', ')}`),
};

/**
 * @param {string} value
 * @param {(word: string) => unknown} isKnown
 * @param {string} why
 */
function told(value, isKnown, why) {
  return value.split(',').filter((word) => !isKnown(word)).map((word) => `“${word}” is ${why}`);
}

// What is wrong with a search, a sentence each: words that a field does not know, measures that are no number.
/**
 * @param {string} text
 * @returns {string[]}
 */
export function mistakesIn(text) {
  return [...text.toLowerCase().matchAll(TERM)].flatMap(([, , field, fieldText, quoted, plain]) => {
    if (quoted !== undefined) return [];
    const [, name, value] = field ? ['', field, fieldText] : FIELD.exec(plain) ?? ['', '', ''];
    const term = unspaced(plain ?? '');
    if (MEASURED.test(term) && !MEASURE.test(term)) return [`“${plain}” is no measure; write hop>50ms, took>1s, budget<10% or miss>0`];
    if (!name || Object.hasOwn(FIELDS, name)) return MISTAKES[name]?.(value) ?? [];
    return /^[:/]/.test(value) ? [] : [`“${name}” is no term, so it is looked for as words; terms are ${Object.keys(FIELDS).join(', ')}`];
  });
}

/** @param {string} term */
function unspaced(term) {
  return term.replace(/\s+/g, '');
}

/** @param {string} tag */
export function tagName(tag) {
  return String(tag).replace(/^@/, '');
}

// What finds a value again, whatever it is made of; of a topic, * stands for a quote.
/**
 * @param {string} field
 * @param {string} value
 */
export function termOf(field, value) {
  return /[\s"]/.test(value) ? `${field}"${value.replaceAll('"', '*')}"` : `${field}${value}`;
}

// { tests: predicates over entries, words: [{ word, negated }] still to be looked up in the entries' texts }
/**
 * @param {string} text
 * @returns {Page.Query}
 */
export function parseQuery(text) {
  /** @type {Page.Ask[]} */
  const tests = [];
  const words = [];
  for (const [, bang, field, fieldText, quoted, plain] of text.toLowerCase().matchAll(TERM)) {
    const negated = bang === '!';
    const test = field ? fieldTest(field, fieldText) : quoted === undefined ? termTest(plain) : null;
    if (test) tests.push(negated ? (entry) => !test(entry) : test);
    else words.push({ word: quoted ?? plain ?? `${field}${fieldText}`, negated });
  }
  return { tests, words: words.filter(({ word }) => word !== '') };
}

/**
 * @param {string} term
 * @returns {Page.Ask | null}
 */
function termTest(term) {
  const measure = MEASURE.exec(unspaced(term));
  if (measure) return measureTest(measure);
  const field = FIELD.exec(term);
  return field ? fieldTest(field[1], field[2]) : null;
}

/**
 * @param {string} name
 * @param {string} value
 */
function fieldTest(name, value) {
  return Object.hasOwn(FIELDS, name) ? FIELDS[name](value) : null;
}

/**
 * @param {RegExpExecArray} measure
 * @returns {Page.Ask}
 */
function measureTest([, name, operator, number, unit]) {
  const limit = Number(number) * (SCALES[unit] ?? 1);
  return (entry) => MEASURES[name](entry).some((value) => COMPARE[operator](value, limit));
}

// Topics repeat: each is tried once, as it is and as its hop is called.
/**
 * @param {string} text
 * @returns {(topic: string) => boolean}
 */
function topicTest(text) {
  const known = new Map();
  const pieces = text.toLowerCase().split(/([*>]+)/);
  return (topic) => {
    if (!known.has(topic)) known.set(topic, [topic, hopName(topic)].some((each) => fits(pieces, each.toLowerCase())));
    return known.get(topic);
  };
}

// As in the step vocabulary: * is one segment, > the rest. Each place is tried once a piece: a link cannot stall.
/**
 * @param {string[]} pieces
 * @param {string} topic
 */
function fits(pieces, topic) {
  let ends = new Set([0]);
  pieces.forEach((piece, number) => {
    const next = new Set();
    if (number % 2 === 0) ends.forEach((at) => topic.startsWith(piece, at) && next.add(at + piece.length));
    else {
      let open = false;
      for (let at = 0; at <= topic.length; at += 1) {
        open ||= ends.has(at);
        if (open) next.add(at);
        if (topic[at] === '.' && !piece.includes('>')) open = false;
      }
    }
    ends = next;
  });
  return ends.has(topic.length);
}

/** @param {Page.Entry} entry */
export function transportsOf(entry) {
  const used = entry.hops().flatMap((hop) => hop.transport || []);
  return [...new Set([...entry.transports, ...used])];
}
