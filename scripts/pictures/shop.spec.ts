import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'gemba-agent';

const AREAS = ['orders', 'invoices', 'customers', 'stock', 'search'];
const DEEDS = ['lists', 'sorts', 'filters', 'opens', 'changes', 'exports'];

for (const area of AREAS) {
  test.describe(area, () => {
    for (let number = 1; number <= 24; number++) {
      test(`${DEEDS[number % DEEDS.length]} ${area} (${number})`, async ({ request }) => {
        for (const path of ['', `/${number}`, `/${number}/lines`]) {
          const response = await request.get(`/${area}${path}`);
          expect(response.status()).toBe(200);
          const { total, lines } = (await response.json()) as { total: number; lines: number[] };
          expect(total, 'the sum of its lines').toBe(lines.reduce((sum, line) => sum + line, 0));
          await sleep(60 + ((number * 37) % 90));
        }
      });
    }
  });
}

test('makes the yearly report', async ({ request }) => {
  expect((await request.get('/reports/yearly')).status()).toBe(200);
});

for (let number = 1; number <= 16; number++) {
  test(`signs in (${number})`, async ({ gemba, request }) => {
    const signIn = async (path: string): Promise<void> => {
      const response = await request.post(path);
      if (!response.ok()) throw new Error(`${path} answered ${response.status()}`);
    };
    await gemba.run('sign in', {
      quick: () => signIn('/sessions/quick'),
      form: () => sleep(150).then(() => signIn('/sessions/form')),
    });
    await sleep(200);
  });
}
