// What the report costs, beside other reporters that are told of the same run: 10,000 tests with a record of 10 attempts
// each, run once into a blob, which each of them renders by merging. Then the pages in Chromium.
//
//   npm run build && node bench/report.mjs [--tests 10000] [--rounds 3] [--peers] [--folder KEEPS_THE_BLOB] [--json]
//
// `--peers` installs monocart-reporter and allure-playwright into the benchmark's folder.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { row, report } from './parts/figures.mjs';
import { Project } from './parts/project.mjs';
import { recordBlob } from './report/blob.mjs';
import { installPeers, measureMerging, OWN } from './report/merging.mjs';
import { measurePages, samplePages } from './report/pages.mjs';

const { values } = parseArgs({
  options: {
    tests: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    peers: { type: 'boolean', default: false },
    folder: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [tests, rounds] = [Number(values.tests), Number(values.rounds)];

if (values.folder) mkdirSync(values.folder, { recursive: true });
const project = new Project(values.folder && path.resolve(values.folder));
await recordBlob(project, tests);
const reporters = values.peers ? { ...OWN, ...installPeers(project) } : OWN;
const merging = await measureMerging(project, reporters, rounds);
const merged = Object.entries(reporters).filter(([, { page }]) => page);
const own = await samplePages(project, tests);
const pages = { ...Object.fromEntries(merged.map(([name, { page }]) => [name, page])), ...own };
const seen = await measurePages(project, pages, rounds * 3);
project.close();
report([...mergingRows(), ...pageRows()], values.json);

function mergingRows() {
  const of = `by merging ${tests.toLocaleString('en')} tests`;
  const { gemba, ...others } = merging;
  const per = ({ addedMs }) => addedMs / tests;
  return Object.entries(others).flatMap(([name, other], index) => [
    row({
      what: `report, ${of}: CPU a 1,000 tests over an empty reporter`,
      ours: `${per(gemba).toFixed(3)} s`,
      peer: `${name} ${per(other).toFixed(3)} s`,
      ratio: gemba.addedMs / other.addedMs,
      ...(index === 0 && { value: per(gemba), limit: 0.1, target: '≤ 0.1 s' }),
    }),
    row({
      what: `report, ${of}: peak memory over an empty reporter`,
      ours: `${gemba.addedMb.toFixed(0)} MB`,
      peer: `${name} ${other.addedMb.toFixed(0)} MB`,
      ...(index === 0 && { value: gemba.addedMb, limit: 60, target: '≤ 60 MB' }),
    }),
  ]);
}

function pageRows() {
  if (!seen) return [row({ what: 'page', ours: 'not measured: no Chromium here' })];
  const { gemba, sample, static: still, ...others } = seen;
  const what = `page of ${tests.toLocaleString('en')} tests`;
  const figures = {
    mb: ['size', 'MB', 2],
    readyMs: ['first rows there', 'ms', 0],
    usableMs: ['usable', 'ms', 0],
    elements: ['elements', '', 0],
  };
  const rows = Object.entries(others).flatMap(([name, other]) =>
    Object.entries(figures).map(([field, [title, unit, digits]]) => {
      const text = (page) => `${page[field].toFixed(digits)} ${unit}`.trim();
      return row({
        what: `${what}: ${title}`,
        ours: text(gemba),
        peer: `${name} ${text(other)}`,
        ratio: gemba[field] / other[field],
      });
    }),
  );
  return [
    ...rows,
    row({
      what: `${what} with outages: size`,
      ours: `${sample.mb.toFixed(2)} MB`,
      value: sample.mb,
      limit: 1.5,
      target: '≤ 1.5 MB',
    }),
    row({
      what: `${what} with outages: elements`,
      ours: `${sample.elements}`,
      value: sample.elements,
      limit: 1500,
      target: '≤ 1,500',
    }),
    row({
      what: `${what} with outages: first rows there`,
      ours: `${sample.readyMs.toFixed(0)} ms`,
      peer: `the same page, static: ${still.readyMs.toFixed(0)} ms`,
      ratio: sample.readyMs / still.readyMs,
      limit: 1.5,
      target: '≤ 1.5',
    }),
  ];
}
