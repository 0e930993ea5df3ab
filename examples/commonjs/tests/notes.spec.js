const { test, expect } = require('gemba-agent');

test('keeps a note', async ({ request }) => {
  const response = await request.post('/notes', { data: { text: 'buy tea' } });
  expect(response.status()).toBe(201);
  expect(await (await request.get('/notes')).json()).toContainEqual(await response.json());
});

test('there is nothing elsewhere', async ({ request }) => {
  expect((await request.get('/letters')).status()).toBe(404);
});

test('its lease tells the key by its name', async ({ request, gemba }) => {
  const lease = await gemba.lease();
  expect(lease.key.name).toBe('ci-1');
  await lease.release();
  await expect(await request.get('/notes')).toBeOK();
});
