import { expect, test } from './base.ts';

test.describe('products', () => {
  const name = `gin-${process.pid}`;

  test.beforeAll(async ({ request }) => {
    await expect(await request.post('/api/products', { data: { name, cents: 2500 } })).toBeOK();
  });

  test('have prices', async ({ products }) => {
    expect(products).toMatchObject({ tea: 450, coffee: 900 });
  });

  test('can be added', async ({ products }) => {
    expect(products[name]).toBe(2500);
  });

  test('need a price', async ({ request }) => {
    expect((await request.post('/api/products', { data: { name: 'nothing' } })).status()).toBe(422);
  });

  test('are at one address only', async ({ request, baseURL }) => {
    expect((await request.get(`${baseURL}/api/wares`)).status()).toBe(404);
  });

  // The warehouse does not answer at first: this one needs its rerun.
  test('are in stock', async ({ request }) => {
    const response = await request.get('/api/stock');
    expect(response.status()).toBe(200);
  });

  test.fail('have no tax yet', async ({ request }) => {
    expect((await request.get('/api/tax')).status()).toBe(200);
  });

  test.skip('are translated', async () => {});
});

test('needs no server', () => {
  expect((450 / 100).toFixed(2)).toBe('4.50');
});
