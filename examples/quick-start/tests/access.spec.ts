// What the service must refuse. Such answers are the product's own: they cost no key and no replica its place.
import { test, expect } from 'gemba-agent';

test('a wrong password is refused', async ({ request }) => {
  await expect(await request.get('/healthz')).toBeOK();
  const response = await request.post('/login', { data: { user: 'ada', password: 'wrong' } });
  expect(response.status()).toBe(401);
});

test('the right password is not', async ({ request }) => {
  await expect(await request.get('/healthz')).toBeOK();
  const response = await request.post('/login', { data: { user: 'ada', password: 'correct horse' } });
  expect(await response.json()).toEqual({ user: 'ada' });
});

test('an unknown API key is refused', async ({ request }) => {
  await expect(await request.get('/healthz')).toBeOK();
  const response = await request.get('/orders', { headers: { authorization: 'Bearer made-up' } });
  expect(response.status()).toBe(401);
});

test('clerks cannot see the revenue', async ({ request }) => {
  await expect(await request.get('/orders?size=1')).toBeOK();
  expect((await request.get('/revenue')).status()).toBe(403);
});

test('clerks cannot delete orders', async ({ request }) => {
  await expect(await request.get('/orders/o-2')).toBeOK();
  expect((await request.delete('/orders/o-2')).status()).toBe(403);
  await expect(await request.get('/orders/o-2')).toBeOK();
});

for (const address of ['/orders/o-99999', '/products/gin', '/nothing']) {
  test(`there is nothing at ${address}`, async ({ request }) => {
    const response = await request.get(address);
    expect(response.status()).toBe(404);
    expect((await response.json()).error).toMatch(/^no/);
  });
}
