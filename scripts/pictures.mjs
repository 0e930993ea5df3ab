// Takes the pictures of docs/ in Chromium, out of the reports of real runs: the suite of scripts/pictures against three
// replicas with faults on a timetable, some runs one after the other. Run it after "npm run build" when the page changes;
// "node scripts/pictures.mjs 1" is quicker, and its trends are empty.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';

const root = fileURLToPath(new URL('..', import.meta.url));
const to = path.join(root, 'docs/pictures');
const runs = Number(process.argv[2] ?? 5);
const folder = mkdtempSync(path.join(tmpdir(), 'gemba-pictures-'));

const CONFIG = {
  name: 'shop',
  pools: {
    shop: {
      endpoints: ['eu', 'us', 'ap'].map((name) => ({ name, url: `\${SHOP_${name.toUpperCase()}}` })),
      keys: ['plain-1', 'plain-2', 'revoked-3', 'limited-4'].map((kind, index) => {
        return { name: `ci-${index + 1}`, value: `\${SHOP_KEY_${index + 1}}`, maxConcurrent: 2 };
      }),
      routing: 'round-robin',
      ejection: { base: '2s', max: '8s' },
      retryBudget: 0.5,
    },
  },
};
const PLAYWRIGHT_CONFIG = `
  export default {
    fullyParallel: true, workers: 4, retries: 1,
    reporter: [['line'], ['gemba-agent/reporter', { title: 'Shop tests' }]],
  };`;

try {
  writeProject();
  for (let run = 1; run <= runs; run++) await runSuite(run);
  await takePictures();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function writeProject() {
  cpSync(path.join(root, 'scripts/pictures/shop.spec.ts'), path.join(folder, 'shop.spec.ts'));
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "shop-tests", "type": "module" }\n');
  writeFileSync(path.join(folder, 'gemba.config.json'), JSON.stringify(CONFIG));
  writeFileSync(path.join(folder, 'playwright.config.ts'), PLAYWRIGHT_CONFIG);
  mkdirSync(path.join(folder, 'node_modules/@playwright'), { recursive: true });
  symlinkSync(root, path.join(folder, 'node_modules/gemba-agent'));
  symlinkSync(
    path.join(root, 'node_modules/@playwright/test'),
    path.join(folder, 'node_modules/@playwright/test'),
  );
}

async function runSuite(run) {
  const shop = spawn(process.execPath, [path.join(root, 'scripts/pictures/shop.mjs'), run, runs], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(createInterface(shop.stdout));
    const { eu, us, ap } = JSON.parse(line);
    const keys = ['plain-1', 'plain-2', 'revoked-3', 'limited-4'].map((kind, index) => {
      return [`SHOP_KEY_${index + 1}`, `${kind}-of-the-pictures`];
    });
    const env = { ...process.env, SHOP_EU: eu, SHOP_US: us, SHOP_AP: ap, ...Object.fromEntries(keys) };
    for (const name of Object.keys(env)) if (name.startsWith('GEMBA_') || name === 'CI') delete env[name];
    const cli = path.join(root, 'node_modules/@playwright/test/cli.js');
    const suite = spawn(process.execPath, [cli, 'test'], { cwd: folder, env, stdio: 'inherit' });
    await new Promise((resolve) => suite.once('exit', resolve));
  } finally {
    shop.stdin.end();
  }
}

function once(lines) {
  return new Promise((resolve) => lines.once('line', (line) => resolve([line])));
}

async function takePictures() {
  const executablePath = [chromium.executablePath(), '/usr/bin/chromium'].find(existsSync);
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args });
  mkdirSync(to, { recursive: true });
  await picture(browser, 'answer', 'light', { until: '#timeline' });
  await picture(browser, 'timeline', 'light', { section: '#timeline' });
  await picture(browser, 'pools', 'dark', { section: '#pool-1', height: 660 });
  await picture(browser, 'trends', 'light', { section: '#trends' });
  await browser.close();
}

async function picture(browser, name, colorScheme, { section, until, height }) {
  const page = await browser.newPage({ viewport: { width: 1240, height: 800 }, colorScheme });
  await page.goto(pathToFileURL(path.join(folder, 'gemba-report/index.html')).href);
  await page.waitForSelector('html[data-ready]', { state: 'attached' });
  const box = await page.locator(section ?? until).boundingBox();
  const [top, bottom] = section ? [box.y - 12, box.y + (height ?? box.height) + 12] : [0, box.y];
  const clip = { x: 0, y: Math.max(0, top), width: 1240, height: bottom - Math.max(0, top) };
  await page.screenshot({ path: path.join(to, `${name}.png`), fullPage: true, clip });
  await page.close();
}
