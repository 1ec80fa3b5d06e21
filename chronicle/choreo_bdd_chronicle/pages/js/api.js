// Questions to the server. A refusal becomes an error with the server's own words.

const base = document.getElementById('chronicle').dataset.api;

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The answer to a question; parameters without a value are not asked. */
export async function ask(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== ''));
  let answer;
  try {
    answer = await fetch(`${base}${path}${query.size > 0 ? `?${query}` : ''}`, { headers: { Accept: 'application/json' } });
  } catch {
    throw new Refused(0, 'The server cannot be reached. Is “choreo-bdd chronicle serve” still running?');
  }
  if (answer.ok) return answer.json();
  const said = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, said.detail ?? `The server answered with ${answer.status}.`);
}

/** The same, or `otherwise` when there is no such thing. */
export async function askOr(otherwise, path, parameters) {
  try {
    return await ask(path, parameters);
  } catch (problem) {
    if (problem.status === 404) return otherwise;
    throw problem;
  }
}

/** Be told of a tenant's runs as they come in; the answer ends it. */
export function listen(tenant, told) {
  const stream = new EventSource(`${base}/stream?${new URLSearchParams({ tenant })}`);
  for (const event of ['run.completed', 'anomaly.detected']) stream.addEventListener(event, () => told(event));
  stream.addEventListener('error', () => stream.readyState === EventSource.CLOSED && stream.close());
  return () => stream.close();
}

/** A topic as a part of an address; half a surrogate pair cannot be in one. */
export const topicPath = (topic) => encodeURIComponent(topic.toWellFormed());
