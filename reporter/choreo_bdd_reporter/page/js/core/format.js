// Numbers and dates as people read them.

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

function significant(value) {
  const size = Math.abs(value);
  return trimZeros(value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0));
}

export function trimZeros(text) {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

// A number of things of which not all are here: both numbers are told.
export function shownOf(shown, left, one, many = `${one}s`) {
  return left > 0 ? `${shown.toLocaleString('en')} of ${plural(shown + left, one, many)} shown` : plural(shown, one, many);
}

export function percent(part, whole) {
  return whole > 0 ? `${Math.round((part / whole) * 100)} %` : '–';
}

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 1024 * 1024 ? `${trimZeros((count / 1024).toFixed(1))} KB` : `${trimZeros((count / 1024 / 1024).toFixed(1))} MB`;
}

export function localTime(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return String(iso);
  return date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}
