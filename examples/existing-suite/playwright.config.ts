import { defineConfig } from '@playwright/test';

const port = (process.env['PORT'] ??= '4173');
const baseURL = `http://127.0.0.1:${port}`;

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  workers: 2,
  retries: 1,
  timeout: 60_000,
  reporter: [['list'], ['json', { outputFile: 'results.json' }], ['gemba-agent/reporter']],
  webServer: { command: 'node server/shop.mjs', url: baseURL },
  use: {
    baseURL,
    extraHTTPHeaders: { 'x-suite': 'shop' },
    // Playwright's own Chromium, unless CHROMIUM_PATH names another.
    launchOptions: { executablePath: process.env['CHROMIUM_PATH'] },
  },
  projects: [
    { name: 'setup', testMatch: '**/*.setup.ts' },
    { name: 'shop', dependencies: ['setup'], use: { storageState: '.auth/ada.json' } },
  ],
});
