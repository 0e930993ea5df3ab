import { defineConfig } from '@playwright/test';
import { chromium } from './chromium.ts';

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  workers: 4,
  retries: 1,
  timeout: 60_000,
  reporter: [['list'], ['gemba-agent/reporter', { title: 'Orders API' }]],
  use: { launchOptions: chromium.launchOptions },
});
