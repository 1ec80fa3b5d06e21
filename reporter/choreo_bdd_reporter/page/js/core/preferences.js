// Small choices that outlive the visit. Storage may be forbidden for a local file; then they last until closing.

const PREFIX = 'choreo-report-';

/**
 * @param {string} name
 * @param {string} fallback
 */
export function readPreference(name, fallback) {
  try {
    return localStorage.getItem(PREFIX + name) ?? fallback;
  } catch {
    return fallback;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function writePreference(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // kept for this visit only
  }
}
