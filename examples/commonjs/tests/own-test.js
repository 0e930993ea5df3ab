const { test: base, expect } = require('@playwright/test');
const { gembaFixtures } = require('gemba-agent');

/** A test type of one's own, with leases. */
exports.test = base.extend(gembaFixtures).extend({
  note: async ({ request }, use) => {
    const response = await request.post('/notes', { data: { text: 'a note for one test' } });
    await use(await response.json());
  },
});
exports.expect = expect;
