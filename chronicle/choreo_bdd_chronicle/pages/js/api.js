// Questions to the server. A refusal becomes an error with the server's own words.

const base = document.getElementById('chronicle').dataset.api;

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The answer to a question; parameters without a value are not asked. */
export const ask = async (path, parameters = {}) => (await answered(path, parameters, { headers: { Accept: 'application/json' } })).json();

/** Have the server write something down. */
export async function tell(path, parameters, said) {
  await answered(path, parameters, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(said) });
}

async function answered(path, parameters, request) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== ''));
  let answer;
  try {
    answer = await fetch(`${base}${path}${query.size > 0 ? `?${query}` : ''}`, request);
  } catch {
    throw new Refused(0, 'The server cannot be reached. Is “choreo-bdd chronicle serve” still running?');
  }
  if (answer.ok) return answer;
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
