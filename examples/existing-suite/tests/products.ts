import { test as base } from '@playwright/test';

/** A test type of another team: it knows nothing of this suite's, nor of any plugin. */
export const test = base.extend<{ products: Record<string, number> }>({
  products: async ({ request }, use) => {
    await use(await (await request.get('/api/products')).json());
  },
});
