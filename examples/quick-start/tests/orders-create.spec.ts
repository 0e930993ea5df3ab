import { test, expect } from 'gemba-agent';

const tea = { sku: 'tea-green', quantity: 2 };

test('creates an order that can be read again', async ({ request }) => {
  await expect(await request.get('/products/tea-green')).toBeOK();
  const created = await request.post('/orders', { data: { customer: 'Ada', items: [tea] } });
  expect(created.status()).toBe(201);
  const order = await created.json();
  expect(order).toMatchObject({ customer: 'Ada', cents: 900, status: 'open' });
  expect(await (await request.get(`/orders/${order.id}`)).json()).toEqual(order);
});

test('adds up several lines', async ({ request }) => {
  const products = await (await request.get('/products?category=coffee')).json();
  const items = products.map(({ sku }: { sku: string }) => ({ sku, quantity: 1 }));
  const order = await (await request.post('/orders', { data: { customer: 'Grace', items } })).json();
  expect(order.cents).toBe(900 + 950);
});

test('keeps the note', async ({ request }) => {
  await request.get('/orders?size=1');
  const data = { customer: 'Edsger', items: [tea], note: 'ring twice' };
  const order = await (await request.post('/orders', { data })).json();
  expect(order.note).toBe('ring twice');
});

test('a new order is found under its customer', async ({ request }) => {
  const customer = `Barbara ${test.info().testId}-${test.info().retry}`;
  const before = await (await request.get('/orders', { params: { customer } })).json();
  expect(before.total).toBe(0);
  await request.post('/orders', { data: { customer, items: [tea] } });
  const after = await (await request.get('/orders', { params: { customer } })).json();
  expect(after.total).toBe(1);
});

const refused: [string, unknown, string[]][] = [
  ['no customer', { items: [tea] }, ['customer']],
  ['an empty customer', { customer: ' ', items: [tea] }, ['customer']],
  ['no items', { customer: 'Ada' }, ['items']],
  ['an empty list of items', { customer: 'Ada', items: [] }, ['items']],
  ['an unknown product', { customer: 'Ada', items: [{ sku: 'gin', quantity: 1 }] }, ['items[0].sku']],
  [
    'a product that is sold out',
    { customer: 'Ada', items: [{ sku: 'mug-sold-out', quantity: 1 }] },
    ['items[0].sku'],
  ],
  [
    'a quantity of nothing',
    { customer: 'Ada', items: [tea, { ...tea, quantity: 0 }] },
    ['items[1].quantity'],
  ],
  [
    'everything wrong at once',
    { items: [{ sku: 'gin', quantity: -1 }] },
    ['customer', 'items[0].sku', 'items[0].quantity'],
  ],
];

for (const [what, data, fields] of refused) {
  test(`refuses ${what}`, async ({ request }) => {
    await expect(await request.get('/orders?size=1')).toBeOK();
    const response = await request.post('/orders', { data });
    expect(response.status()).toBe(422);
    expect(Object.keys((await response.json()).fields).sort()).toEqual(fields.sort());
  });
}

test('refuses a body that is not JSON', async ({ request }) => {
  await expect(await request.get('/orders?size=1')).toBeOK();
  const headers = { 'content-type': 'application/json' };
  const response = await request.post('/orders', { data: Buffer.from('{ "customer": '), headers });
  expect(response.status()).toBe(400);
});
