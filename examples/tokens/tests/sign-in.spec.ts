import { expect, test } from 'gemba-agent';

test.use({ gembaPool: 'accounts' });

// All of them sign in as the same account: each waits for a code of its own, and that costs no test time.
for (let index = 1; index <= 4; index++)
  test(`signs in with a one-time code, ${index}`, async ({ request, lease }) => {
    const code = await lease.key!.totp();
    expect(await request.get(`/sign-in?code=${code}`)).toBeOK();
  });
