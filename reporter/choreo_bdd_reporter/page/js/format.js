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

function trimZeros(text) {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

export function percent(part, whole) {
  return whole > 0 ? `${Math.round((part / whole) * 100)} %` : '–';
}

export function bytes(count) {
  return count < 1024 ? `${count} B` : `${trimZeros((count / 1024).toFixed(1))} KB`;
}

export function localTime(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return String(iso);
  return date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

// A time axis: ticks that divide it evenly, in one unit with no more digits than the step needs.
export function timeAxis(spanMs) {
  const span = spanMs > 0 ? spanMs : 1;
  const unit = span < 1 ? { name: 'µs', ms: 0.001 } : span < 10_000 ? { name: 'ms', ms: 1 } : { name: 's', ms: 1000 };
  const step = niceStep(span / unit.ms / 5);
  const count = Math.ceil(span / unit.ms / step - 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = Array.from({ length: count + 1 }, (_, index) => ({
    share: index / count,
    label: `${trimZeros((index * step).toFixed(digits + 1))} ${unit.name}`,
  }));
  return { max: count * step * unit.ms, count, ticks };
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
}

export function inlineJson(value) {
  return value === undefined ? '' : JSON.stringify(value);
}
