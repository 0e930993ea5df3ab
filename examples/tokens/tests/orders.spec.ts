import { expect, test } from 'gemba-agent';

for (let index = 1; index <= 9; index++)
  test(`lists orders, ${index}`, async ({ request, gemba }) => {
    for (let call = 0; call < 4; call++) {
      expect(await request.get('/orders')).toBeOK();
      expect((await gemba.fetch('/orders')).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  });
