const { defineConfig } = require('@playwright/test');

module.exports = defineConfig({
  testDir: 'tests',
  globalSetup: require.resolve('./server/start.js'),
  fullyParallel: true,
  workers: 2,
  reporter: [['list'], ['gemba-agent/reporter', { title: 'Notes' }]],
});
