// How Cucumber's own tools read messages: node cucumber-counts.mjs messages.ndjson
// Prints one JSON object: Query's verdict a test case and its counts, the JUnit report and the summary of the formatters.

import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { JUnitXmlPrinter } from '@cucumber/junit-xml-formatter';
import { parseEnvelope } from '@cucumber/messages';
import { SummaryPrinter } from '@cucumber/pretty-formatter';
import { Query } from '@cucumber/query';

const envelopes = readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean).map((line) => parseEnvelope(line));
const written = { junit: '', summary: '' };
const query = new Query();
const junit = new JUnitXmlPrinter({}, (text) => { written.junit += text; });
for (const envelope of envelopes) {
  query.update(envelope);
  junit.update(envelope);
}
const stream = new Writable({ write(chunk, encoding, done) { written.summary += chunk; done(); } });
SummaryPrinter.summarise(query, { stream });

const cases = query.findAllTestCaseStarted().map((started) => ({
  id: started.id,
  name: query.findPickleBy(started).name,
  status: query.findMostSevereTestStepResultBy(started)?.status ?? 'UNKNOWN',
  retried: query.findTestCaseFinishedBy(started).willBeRetried,
}));
console.log(JSON.stringify({ cases, counts: query.countMostSevereTestStepResultStatus(), success: query.findTestRunFinished().success, ...written }));
