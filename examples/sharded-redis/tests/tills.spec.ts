import { expect, test } from 'gemba-agent';

// Two tills for two machines with two workers each: two tests run, the others wait for a till.
for (let sale = 1; sale <= 20; sale++) {
  test(`rings up sale ${sale}`, async ({ request }) => {
    await expect(await request.post('/till/open')).toBeOK();
    await expect(await request.post('/till/sales', { data: { cents: sale * 100 } })).toBeOK();
    const closed = await request.post('/till/close');
    // Another test at the same till would have rung up its own sale here, or closed it.
    expect(await closed.json()).toEqual({ sales: [sale * 100] });
  });
}
