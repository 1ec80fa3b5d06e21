// Cucumber's own HTML report of messages: node cucumber-html.mjs messages.ndjson report.html

import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { CucumberHtmlStream } from '@cucumber/html-formatter';
import { parseEnvelope } from '@cucumber/messages';

const [source, target] = process.argv.slice(2);

async function* envelopes() {
  for await (const line of createInterface({ input: createReadStream(source, 'utf8') })) if (line) yield parseEnvelope(line);
}

await pipeline(envelopes, new CucumberHtmlStream(), createWriteStream(target));
