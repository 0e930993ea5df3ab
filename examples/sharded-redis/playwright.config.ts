import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  workers: 2,
  reporter: [['list'], ['blob']],
  // So that the tills can say which machine had them.
  use: { extraHTTPHeaders: { 'x-machine': process.env['MACHINE'] ?? '?' } },
});
