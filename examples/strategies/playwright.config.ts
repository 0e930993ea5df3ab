import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  workers: 3,
  timeout: 60_000,
  reporter: [['list'], ['gemba-agent/reporter', { title: 'Shop' }]],
  // Playwright's own Chromium, unless CHROMIUM_PATH names another.
  use: { launchOptions: { executablePath: process.env['CHROMIUM_PATH'] } },
});
