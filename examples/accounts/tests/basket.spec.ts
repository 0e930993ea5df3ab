import { expect, test } from './signed-in.ts';

// Customers only: the administrator's account is left to the tests that need it.
test.use({ gembaNeed: { role: 'customer' } });

// Two accounts for four workers: two tests run, the others wait for an account, which costs them none of their time.
for (const [item, cents] of Object.entries({ tea: 450, coffee: 900, mug: 1200 })) {
  for (const count of [1, 2, 3]) {
    test(`orders ${count} of ${item}`, async ({ request }) => {
      await request.post('/basket');
      for (let added = 0; added < count; added++) await request.post('/basket/items', { form: { item } });
      const basket = await request.get('/basket');
      // Another test in the same account would have put its own things in here.
      expect(await basket.text()).toContain(`Items: ${count}, total: ${((count * cents) / 100).toFixed(2)}`);
      const ordered = await request.post('/basket/order');
      expect(await ordered.text()).toContain(`Ordered ${count} of ${item}`);
    });
  }
}

test('fills a basket by hand', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('button', { name: 'New basket' }).click();
  await page.getByRole('button', { name: 'Add tea' }).click();
  await page.getByRole('button', { name: 'Add mug' }).click();
  await expect(page.getByRole('status')).toHaveText('Items: 2, total: 16.50');
  await page.getByRole('button', { name: 'Order' }).click();
  await expect(page.getByText('Ordered 2 of tea, mug')).toBeVisible();
});

test('a page and a request are the same customer', async ({ page, request }) => {
  await request.post('/basket');
  await request.post('/basket/items', { form: { item: 'coffee' } });
  await page.goto('/basket');
  await expect(page.getByRole('status')).toHaveText('Items: 1, total: 9.00');
  await page.getByRole('button', { name: 'Order' }).click();
  await expect(page.getByText('Ordered 1 of coffee')).toBeVisible();
});
