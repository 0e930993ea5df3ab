import { test, expect } from 'gemba-agent';

test('lists the products', async ({ request }) => {
  expect(await (await request.get('/products')).json()).toHaveLength(6);
});

for (const [category, count] of Object.entries({ tea: 2, coffee: 2, mugs: 2, hats: 0 })) {
  test(`the category ${category} has ${count} products`, async ({ request }) => {
    expect(await (await request.get('/products', { params: { category } })).json()).toHaveLength(count);
  });
}

test('reads one product', async ({ request }) => {
  const product = await (await request.get('/products/tea-black')).json();
  expect(product).toEqual({ sku: 'tea-black', name: 'Black tea', cents: 400, category: 'tea' });
});
