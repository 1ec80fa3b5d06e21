// Numbers and dates as people read them.

/** @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined) return '–';
  const size = Math.abs(ms);
  if (size === 0) return '0 ms';
  if (size < 0.9995) return `${significant(ms * 1000)} µs`;
  if (size < 999.5) return `${significant(ms)} ms`;
  if (size < 59_995) return `${significant(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** @param {number} value */
function significant(value) {
  const size = Math.abs(value);
  return trimZeros(value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0));
}

/** @param {string} text */
export function trimZeros(text) {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

// A number of things of which not all are here: both numbers are told.
/**
 * @param {number} shown
 * @param {number | undefined} left
 * @param {string} one
 * @param {string} [many]
 */
export function shownOf(shown, left, one, many = `${one}s`) {
  return left ? `${shown.toLocaleString('en')} of ${plural(shown + left, one, many)} shown` : plural(shown, one, many);
}

/** @type {Record<number, [string, string]>} */
const BOUNDS = { 0: ['> −1 %', '< 1 %'], 100: ['> 99 %', '> 100 %'] };

// As in choreo_bdd/shared/shares.py: what is nearly all is not all, and what is nearly nothing not nothing.
/**
 * @param {number} part
 * @param {number} whole
 */
export function percent(part, whole) {
  if (!(whole > 0)) return '–';
  const share = (part / whole) * 100;
  const rounded = Math.round(share);
  if (share !== rounded && BOUNDS[rounded]) return BOUNDS[rounded][share > rounded ? 1 : 0];
  return `${rounded} %`.replace('-', '−');
}

/** @param {number} count */
export function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 1024 * 1024 ? `${trimZeros((count / 1024).toFixed(1))} KB` : `${trimZeros((count / 1024 / 1024).toFixed(1))} MB`;
}

/**
 * @param {string} iso
 * @param {Intl.DateTimeFormatOptions} more
 */
export function localTime(iso, more = {}) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return String(iso);
  return date.toLocaleString(undefined, { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit', second: '2-digit', ...more });
}

// As in read/hop_names.py.
const ID = /(?<=_INBOX\.).+|(?<=choreo\.reply\.).+|(?<=amq\.gen-).+|(?<=amq\.rabbitmq\.reply-to\.).+|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|(?<=[/=])\d+(?![^/?&])|(?<![^.:])\d{4,}(?![^.:])|(?<![^/.:=_-])(?=[a-f]*\d)[\da-f]{8,}(?![^/.:?&_-])|(?<![^/.:=_-])(?=[a-z]*\d+[a-z]+\d)[\da-z]{20,}(?![^/.:?&_-])/gi;

/** @type {Map<string, string>} */
const hopNames = new Map();

// The name under which topics count as one hop that differ only in an id. A large run asks a hundred thousand times.
/** @param {string} topic */
export function hopName(topic) {
  const name = hopNames.get(topic) ?? topic.replace(ID, '{id}');
  hopNames.set(topic, name);
  return name;
}
