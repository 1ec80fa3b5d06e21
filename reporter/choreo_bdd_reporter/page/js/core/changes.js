// What changed about a scenario since the runs before. Of those, `past` has a letter each, the oldest first.

const BAD = 'fe';
const GOOD = 'ps';

// What is:… asks of an entry.
/** @type {Record<string, Page.Ask>} */
export const CHANGES = {
  new: (entry) => entry.before.runs.length > 0 && entry.past === '',
  regressed: (entry) => entry.failing && GOOD.includes(lastVerdict(entry)),
  fixed: (entry) => !entry.failing && BAD.includes(lastVerdict(entry)) && nowLetter(entry) !== 'k',
  flaky: (entry) => entry.flaky || isUnsteady(entry),
};

// The letter of this run.
/** @param {Page.Entry} entry */
export function nowLetter({ recorded }) {
  return recorded === 'errored' ? 'e' : recorded === 'skipped' ? 'k' : recorded[0];
}

/** @param {Page.Entry} entry */
function lastVerdict({ past }) {
  return [...past].findLast((letter) => (BAD + GOOD).includes(letter)) ?? '?';
}

// Passed and failed at one commit; on a desk, where a commit says nothing about the code, that means nothing.
/** @param {Page.Entry} entry */
export function isUnsteady(entry) {
  const { runs, sha, ci } = entry.before;
  const seen = new Map();
  /**
   * @param {string} letter
   * @param {string} commit
   */
  const see = (letter, commit) => seen.set(commit, (seen.get(commit) ?? '') + letter);
  runs.forEach(([, commit, inCi], index) => inCi && commit && see(pastLetter(entry, index), commit));
  if (ci && sha) see(nowLetter(entry), sha);
  return [...seen.values()].some((letters) => hasOne(letters, BAD) && hasOne(letters, GOOD));
}

/**
 * @param {string} letters
 * @param {string} wanted
 */
function hasOne(letters, wanted) {
  return [...letters].some((letter) => wanted.includes(letter));
}

/**
 * @param {Page.Entry} entry
 * @param {number} index
 */
export function pastLetter({ past, before }, index) {
  return past[index - before.runs.length + past.length] ?? '.';
}
