// What each reporter costs in `merge-reports`, over an empty one that merges the same blob at the same time.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { median } from '../parts/figures.mjs';

/** Reporters that need nothing more, with where their page is and what its first row of a test looks like. */
export const OWN = {
  gemba: {
    reporter: ['gemba-agent/reporter', { outputFolder: 'out-gemba' }],
    page: { file: 'out-gemba/index.html', first: '#tests-rows tr' },
  },
  html: {
    reporter: ['html', { outputFolder: 'out-html', open: 'never' }],
    page: { file: 'out-html/index.html', first: '.test-file-test' },
  },
  blob: { reporter: ['blob', { outputDir: 'out-blob' }] },
};

/** Others', installed into the benchmark's folder by `installPeers`. */
const PEERS = {
  'monocart-reporter': {
    options: { outputFile: 'out-monocart/index.html', logging: 'off' },
    page: { file: 'out-monocart/index.html', first: '.tg-row' },
  },
  // It writes files that Allure's own program makes a page of.
  'allure-playwright': { options: { resultsDir: 'out-allure', detail: false } },
};

/** They find Playwright by NODE_PATH: npm would take a link of ours for its own, and empty what it points to. */
export function installPeers(project) {
  const prefix = path.join(project.folder, 'peers');
  const modules = path.join(prefix, 'node_modules');
  mkdirSync(prefix, { recursive: true });
  const flags = ['--no-audit', '--no-fund', '--legacy-peer-deps', '--prefix', prefix];
  const args = ['install', ...flags, ...Object.keys(PEERS)];
  const npm = spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' });
  if (npm.status !== 0) throw new Error(`npm ${args.join(' ')}:\n${npm.stderr}`);
  const entries = Object.entries(PEERS).map(([name, { options, page }]) => {
    return [name, { reporter: [path.join(modules, name), options], page }];
  });
  return Object.fromEntries(entries);
}

/**
 * Merges the project's blob with each of these reporters, `rounds` times: what each adds over an empty one, in
 * processor time (ms) and in peak memory (MB).
 */
export async function measureMerging(project, reporters, rounds) {
  const NODE_PATH = path.join(project.folder, 'node_modules');
  const configs = { empty: ['./empty-reporter.cjs'] };
  for (const [name, { reporter }] of Object.entries(reporters)) configs[name] = reporter;
  for (const [name, reporter] of Object.entries(configs))
    project.write({
      [`${name}.config.mjs`]: `export default ${JSON.stringify({ testDir: 'tests', reporter: [reporter] })};`,
    });
  // Merging unpacks a blob beside itself, so that each has its own.
  for (const name of ['empty', 'own'])
    cpSync(
      path.join(project.folder, 'blob/report.zip'),
      path.join(project.folder, `blob-${name}/report.zip`),
    );
  const merge = (name, blob = 'own') =>
    project.playwright(['merge-reports', `blob-${blob}`, '-c', `${name}.config.mjs`], { env: { NODE_PATH } });
  const seen = Object.fromEntries(Object.keys(reporters).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(reporters)) {
      const [empty, own] = await Promise.all([merge('empty', 'empty'), merge(name)]);
      seen[name].push({
        addedMs: own.cpuMs - empty.cpuMs,
        addedMb: own.rssMb - empty.rssMb,
        emptyMs: empty.cpuMs,
      });
    }
  }
  const of = (list, field) => median(list.map((each) => each[field]));
  const entries = Object.entries(seen).map(([name, list]) => {
    return [
      name,
      { addedMs: of(list, 'addedMs'), addedMb: of(list, 'addedMb'), emptyMs: of(list, 'emptyMs') },
    ];
  });
  return Object.fromEntries(entries);
}
