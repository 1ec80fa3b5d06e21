// What is known of one scenario, put together: { test, scenario, steps, parts, attachments, earlier }, of which the last are the attempts before this one, null where not kept; a part carries notes { handles, messages, spans, strays, surprises, broken, left, same, cut }.

import { exactJson } from '../core/values.js';

/**
 * @param {Page.Test} test
 * @param {Page.Described | null} scenario
 * @param {Page.Attachment[]} attachments
 * @param {(part: any, index: number) => Page.Notes} notesOf
 * @param {(Page.Detail | null)[]} earlier
 * @returns {Page.Detail}
 */
export function detailOf(test, scenario, attachments, notesOf, earlier = []) {
  return { test, scenario, attachments, earlier, steps: scenario?.steps ?? [], parts: test.scenarios.map((part, index) => onItsBus(inItsDigits({ ...part, notes: notesOf(part, index) }))) };
}

// Values with numbers that this script would spell otherwise are told once more, as text.
/**
 * @param {Page.Part} part
 * @returns {Page.Part}
 */
function inItsDigits({ notes, ...part }) {
  const known = exactJson(notes.exact ?? '{}');
  /** @type {<T>(name: string, all: T[]) => T[]} */
  const exactly = (name, all) => all.map((each, place) => ({ ...each, ...known[name]?.[place] }));
  return { ...part, handles: exactly('handles', part.handles), notes: { ...notes, handles: exactly('notes', notes.handles), strays: exactly('strays', notes.strays) } };
}

// What a scope on one transport has met was there, in a run that has several.
/** @param {Page.Part} part */
function onItsBus(part) {
  const { bus } = part.notes;
  const met = bus && !part.stage ? [...part.handles, ...part.timeline, ...part.notes.strays.flatMap(({ message }) => message ?? [])] : [];
  for (const each of met) each.transport ??= bus;
  return part;
}

/**
 * @param {Page.Scenario} part
 * @param {Partial<Page.ScopeNote> | undefined} note
 * @param {boolean} several
 * @returns {Page.Notes}
 */
export function alignNotes(part, { handles = [], timeline = [], messages = [], payloads = [], spans = [], surprises = [], strays = [], transport_failures: broken = [], left_out: left = {}, exact, transport } = {}, several) {
  /** @param {number} place */
  const message = (place) => (place < 0 ? null : withPayload(messages[place], () => exactJson(payloads[messages[place].payload])));
  const heard = part.timeline.map((_, index) => timeline[index] ?? -1);
  return {
    handles: part.handles.map((_, index) => ({ ...handles[index], messages: (handles[index]?.messages ?? []).map(message) })),
    messages: heard.map(message), same: (index) => (heard[index] < 0 ? null : messages[heard[index]].payload),
    spans, surprises, strays: strays.map((stray) => ({ ...stray, message: message(stray.message) })), broken, left, exact, bus: several ? transport : null, cut: false,
  };
}

// Of ten thousand bodies a reader looks at a few.
/**
 * @param {Page.StoredMessage} message
 * @param {() => any} read
 * @returns {Page.Message}
 */
export function withPayload(message, read) {
  return { ...message, get payload() { return read(); } };
}
