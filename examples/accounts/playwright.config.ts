import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  globalSetup: './server/start.mjs',
  fullyParallel: true,
  workers: 4,
  timeout: 60_000,
  reporter: [['list'], ['gemba-agent/reporter', { title: 'Accounts' }]],
  // Playwright's own Chromium, unless CHROMIUM_PATH names another.
  use: { launchOptions: { executablePath: process.env['CHROMIUM_PATH'] } },
});
