import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  globalSetup: './server/start.mjs',
  fullyParallel: true,
  workers: 3,
  reporter: [['list'], ['gemba-agent/reporter', { title: 'Tokens and one-time codes' }]],
});
