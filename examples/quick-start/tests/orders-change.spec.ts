import type { APIRequestContext } from '@playwright/test';
import { test, expect } from 'gemba-agent';

async function newOrder(request: APIRequestContext): Promise<string> {
  await expect(await request.get('/products/mug-blue')).toBeOK();
  const data = { customer: 'Ada', items: [{ sku: 'mug-blue', quantity: 1 }] };
  const response = await request.post('/orders', { data });
  expect(response.status()).toBe(201);
  return (await response.json()).id;
}

test('reads one order', async ({ request }) => {
  const response = await request.get('/orders/o-1');
  expect(await response.json()).toMatchObject({ id: 'o-1', customer: 'seed-0' });
});

test('changes the note', async ({ request }) => {
  const id = await newOrder(request);
  const changed = await request.patch(`/orders/${id}`, { data: { note: 'second floor' } });
  expect(changed.status()).toBe(200);
  expect((await (await request.get(`/orders/${id}`)).json()).note).toBe('second floor');
});

test('empties the note', async ({ request }) => {
  const id = await newOrder(request);
  await request.patch(`/orders/${id}`, { data: { note: 'x' } });
  const changed = await request.patch(`/orders/${id}`, { data: { note: '' } });
  expect((await changed.json()).note).toBe('');
});

for (const [what, data] of Object.entries({
  'a note that is too long': { note: 'x'.repeat(201) },
  'a note that is no text': { note: 7 },
  'a change without a note': {},
  'another customer': { customer: 'Eve', note: 'mine now' },
})) {
  test(`refuses ${what}`, async ({ request }) => {
    const id = await newOrder(request);
    const response = await request.patch(`/orders/${id}`, { data });
    expect(response.status()).toBe(422);
  });
}

test('cancels an order', async ({ request }) => {
  const id = await newOrder(request);
  const cancelled = await request.post(`/orders/${id}/cancel`);
  expect((await cancelled.json()).status).toBe('cancelled');
  expect((await (await request.get(`/orders/${id}`)).json()).status).toBe('cancelled');
});

test('cancels an order once only', async ({ request }) => {
  const id = await newOrder(request);
  await request.post(`/orders/${id}/cancel`);
  expect((await request.post(`/orders/${id}/cancel`)).status()).toBe(409);
});

test('a cancelled order cannot be changed', async ({ request }) => {
  const id = await newOrder(request);
  await request.post(`/orders/${id}/cancel`);
  expect((await request.patch(`/orders/${id}`, { data: { note: 'too late' } })).status()).toBe(409);
});

test('a cancelled order is listed as such', async ({ request }) => {
  const id = await newOrder(request);
  await request.post(`/orders/${id}/cancel`);
  const { orders } = await (await request.get('/orders?status=cancelled&size=50')).json();
  expect(orders.map((order: { id: string }) => order.id)).toContain(id);
});
