import { test, expect } from 'gemba-agent';

test('lists orders, ten to a page', async ({ request }) => {
  const response = await request.get('/orders');
  expect(response.ok()).toBe(true);
  const { orders, page, size, total } = await response.json();
  expect(orders).toHaveLength(10);
  expect({ page, size }).toEqual({ page: 1, size: 10 });
  expect(total).toBeGreaterThanOrEqual(42);
});

test('an order names its customer, its lines and its total', async ({ request }) => {
  const { orders } = await (await request.get('/orders?size=1')).json();
  expect(orders[0]).toMatchObject({ customer: 'seed-0', status: 'open' });
  const sum = orders[0].items.reduce((cents: number, line: { cents: number }) => cents + line.cents, 0);
  expect(orders[0].cents).toBe(sum);
});

for (const size of [1, 5, 25, 50]) {
  test(`gives ${size} to a page when asked`, async ({ request }) => {
    const response = await request.get('/orders', { params: { size } });
    expect((await response.json()).orders).toHaveLength(Math.min(size, 50));
  });
}

test('pages follow one another without a gap or a repetition', async ({ request }) => {
  const seen = new Set<string>();
  for (const page of [1, 2, 3, 4]) {
    const { orders } = await (await request.get('/orders', { params: { page, size: 8 } })).json();
    for (const order of orders) seen.add(order.id);
  }
  expect(seen.size).toBe(32);
});

test('a page after the last one is empty', async ({ request }) => {
  const response = await request.get('/orders?page=900');
  expect(response.status()).toBe(200);
  expect((await response.json()).orders).toEqual([]);
});

test('filters by customer', async ({ request }) => {
  const { orders, total } = await (await request.get('/orders?customer=seed-3&size=50')).json();
  expect(total).toBe(7);
  expect(new Set(orders.map((order: { customer: string }) => order.customer))).toEqual(new Set(['seed-3']));
});

test('filters by status', async ({ request }) => {
  const { orders } = await (await request.get('/orders?status=open&size=5')).json();
  expect(orders.every((order: { status: string }) => order.status === 'open')).toBe(true);
});

for (const query of ['page=0', 'page=two', 'size=0', 'size=51', 'status=lost']) {
  test(`refuses ${query}`, async ({ request }) => {
    const response = await request.get(`/orders?${query}`);
    expect(response.status()).toBe(422);
    const [field] = query.split('=');
    expect(Object.keys((await response.json()).fields)).toEqual([field]);
  });
}
