// A made-up run of many tests with records of ten attempts each as one of Playwright's blobs, which each reporter then
// renders by merging: no worker is measured, and all reporters are told the same. Playwright lists the tests into a blob
// of its own, and what happened to each is put between its beginning and its end, as a real run would tell it.
import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { openPromise } from 'yauzl';
import yazl from 'yazl';
import { sampleRun } from '../sample-run.mjs';

const FILES = 50;
const ENTRY = 'report.jsonl';

/** The sample that all of this benchmark is about. */
export function sampleOf(tests) {
  return sampleRun({ tests, calls: 10, minutes: 90 });
}

/** Leaves the blob in the project's folder `blob`, unless it is there already. */
export async function recordBlob(project, tests) {
  const file = path.join(project.folder, 'blob', 'report.zip');
  if (existsSync(file)) return;
  const { cases, end } = sampleOf(tests);
  const perFile = Math.ceil(tests / FILES);
  for (let index = 0; index < FILES; index++) {
    const own = cases.slice(index * perFile, (index + 1) * perFile);
    const lines = own.map(
      ({ title }, at) => `test(${JSON.stringify(`${index * perFile + at} ${title}`)}, () => {});`,
    );
    const source = `const { test } = require('@playwright/test');\n${lines.join('\n')}\n`;
    project.write({ [`tests/t${index}.spec.js`]: source });
  }
  project.write({ 'list.config.cjs': `module.exports = { testDir: 'tests', retries: 2 };` });
  const listed = path.join(project.folder, 'listed', 'report.zip');
  const env = { PLAYWRIGHT_BLOB_OUTPUT_FILE: listed };
  await project.playwright(['test', '-c', 'list.config.cjs', '--list', '--reporter=blob'], { env });
  const told = (await readEntry(listed))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  await writeEntry(file, filled(told, cases, end));
}

/** The list's events with those of each test before the last one. */
function filled(events, cases, { status, startTime, duration }) {
  const { suites } = events.find(({ method }) => method === 'onProject').params.project;
  const ids = suites.flatMap(({ entries }) =>
    entries.map(({ testId, title }) => [Number.parseInt(title), testId]),
  );
  const happened = ids.flatMap(([index, testId]) => {
    const { results } = cases[index];
    return results.length === 0
      ? skipped(testId, +startTime)
      : results.flatMap((result) => eventsOf(testId, result));
  });
  const end = { method: 'onEnd', params: { result: { status, startTime: +startTime, duration } } };
  return [...events.slice(0, -1), ...happened, end];
}

function eventsOf(
  testId,
  { retry, status, startTime, duration, workerIndex, parallelIndex, attachments, errors },
) {
  const id = `${testId}-${retry}`;
  const begin = { id, retry, workerIndex, parallelIndex, startTime: +startTime };
  const attached = attachments.map(({ name, contentType, body }) => ({
    name,
    contentType,
    base64: recordOf(testId, body).toString('base64'),
  }));
  const ids = { testId, resultId: id };
  return [
    { method: 'onTestBegin', params: { testId, result: begin } },
    ...step(ids, 'Before Hooks', +startTime),
    ...step(ids, 'After Hooks', +startTime + duration),
    ...(attached.length > 0 ? [{ method: 'onAttach', params: { ...ids, attachments: attached } }] : []),
    testEnd(testId, 'passed', { id, duration, status, errors }),
  ];
}

/** The record of the sample's test as that of the listed one. */
function recordOf(testId, body) {
  return Buffer.from(JSON.stringify({ ...JSON.parse(body.toString()), test: testId }));
}

function skipped(testId, startTime) {
  const result = { id: testId, retry: 0, workerIndex: -1, parallelIndex: -1, startTime };
  const annotations = [{ type: 'skip' }];
  return [
    { method: 'onTestBegin', params: { testId, result } },
    testEnd(testId, 'skipped', { id: testId, duration: 0, status: 'skipped', errors: [] }, annotations),
  ];
}

function step(ids, title, startTime) {
  const id = `${ids.resultId} ${title}`;
  return [
    { method: 'onStepBegin', params: { ...ids, step: { id, title, category: 'hook', startTime } } },
    { method: 'onStepEnd', params: { ...ids, step: { id, duration: 1 } } },
  ];
}

function testEnd(testId, expectedStatus, result, annotations = []) {
  return {
    method: 'onTestEnd',
    params: { test: { testId, expectedStatus, timeout: 30_000, annotations }, result },
  };
}

async function readEntry(file) {
  const zip = await openPromise(file);
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName === ENTRY) return text(await zip.openReadStreamPromise(entry));
  }
  throw new Error(`${file} has no ${ENTRY}`);
}

async function writeEntry(file, events) {
  mkdirSync(path.dirname(file), { recursive: true });
  const zip = new yazl.ZipFile();
  zip.addBuffer(Buffer.from(`${events.map((event) => JSON.stringify(event)).join('\n')}\n`), ENTRY);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
}
