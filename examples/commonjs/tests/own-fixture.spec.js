const { test, expect } = require('./own-test.js');

test('finds the note of its fixture', async ({ request, note }) => {
  expect(await (await request.get('/notes')).json()).toContainEqual(note);
});
