import { existsSync } from 'node:fs';
import { chromium, defineConfig } from '@playwright/test';

// Playwright's own Chromium, else the system's.
const system = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
  existsSync(file),
);
const launchOptions =
  existsSync(chromium.executablePath()) || system === undefined ? {} : { executablePath: system };

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  workers: 3,
  timeout: 30_000,
  reporter: [['list'], ['gemba-agent/reporter', { title: 'Shop' }]],
  use: { launchOptions },
});
