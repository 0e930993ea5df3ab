/** What `gemba init` writes: one kind of project each. */
export type Kind = 'api' | 'accounts' | 'llm';

export interface Variant {
  /** The configuration. `url`: where the tests run. */
  readonly config: (url: string) => string;
  /** The address where nothing else is known; the variable in it is to be set. */
  readonly url: string;
  /** Files of a first test, by their names in the folder of tests. */
  readonly tests: Readonly<Record<string, string>>;
  /** Variables that the configuration reads, with what each of them is. */
  readonly variables: Readonly<Record<string, string>>;
}

const SCHEMA = '"$schema": "./node_modules/gemba-agent/schema.json"';

const API_TEST = `import { test, expect } from 'gemba-agent';

test('the service answers', async ({ request }) => {
  // Goes to a leased endpoint, with a leased key. Replace it by what your service promises.
  const response = await request.get('/');
  expect(response.status()).toBeLessThan(500);
});
`;

const ACCOUNTS_TEST = `import { test, expect } from './signed-in.js';

test('the account is signed in', async ({ request, lease }) => {
  // Replace it by a page or an address that needs a session.
  const response = await request.get('/');
  expect(response.ok(), \`signed in as \${lease.key?.name}\`).toBe(true);
});
`;

const SIGNED_IN = `import { test as base, accountFixtures } from 'gemba-agent';
export { expect } from 'gemba-agent';

// Each test is signed in as the account that it leases: once per account, over all tests, workers and runs.
export const test = base.extend(
  accountFixtures({
    // Adapt address and fields to your sign-in.
    signIn: async ({ lease, request }) => {
      const { username = '', password = '' } = lease.key!.fields;
      await request.post('/sign-in', { form: { username, password } });
    },
    signedOut: ({ status, url }) => status === 401 || url.pathname === '/sign-in',
  }),
);
`;

const LLM_TEST = `import { test, expect } from 'gemba-agent';

test('the model answers', async ({ gemba }) => {
  // A vendor's client goes through the lease, too: new OpenAI(gemba.client())
  const response = await gemba.fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Say hello.' }] }),
  });
  expect(response.status).toBe(200);
});
`;

export const VARIANTS: Readonly<Record<Kind, Variant>> = {
  api: {
    url: '${STAGING_URL:-http://127.0.0.1:3000}',
    variables: {
      STAGING_URL: 'the address of your service; default: http://127.0.0.1:3000',
      STAGING_KEY: 'an API key of it',
    },
    tests: { 'first.spec.ts': API_TEST },
    config: (url) => `{
  ${SCHEMA},
  "pools": {
    "default": {
      // Every endpoint that can serve the tests: replicas, regions, vendor sandboxes.
      "endpoints": [${JSON.stringify(url)}],
      // Keys; their values come from the environment or from .env. maxConcurrent: 1 makes one exclusive.
      "keys": [{ "name": "ci-1", "value": "\${STAGING_KEY}", "maxConcurrent": 1 }],
    },
  },
}
`,
  },
  accounts: {
    url: '${STAGING_URL:-http://127.0.0.1:3000}',
    variables: {
      STAGING_URL: 'the address of your service; default: http://127.0.0.1:3000',
      ADA_PASSWORD: 'the password of the account ada',
    },
    tests: { 'signed-in.ts': SIGNED_IN, 'first.spec.ts': ACCOUNTS_TEST },
    config: (url) => `{
  ${SCHEMA},
  "pools": {
    "accounts": {
      "endpoints": [${JSON.stringify(url)}],
      // The session that signIn makes is all that calls carry.
      "auth": "none",
      // One entry for each account. maxConcurrent: 1: one test at a time uses it.
      "keys": [
        {
          "name": "ada",
          "fields": { "username": "ada", "password": "\${ADA_PASSWORD}" },
          "labels": { "role": "customer" },
          "maxConcurrent": 1,
        },
      ],
    },
  },
}
`,
  },
  llm: {
    url: '${LLM_URL:-https://api.openai.com}',
    variables: { OPENAI_API_KEY: 'the API key', LLM_URL: 'the address; default: https://api.openai.com' },
    tests: { 'first.spec.ts': LLM_TEST },
    config: (url) => `{
  ${SCHEMA},
  "pools": {
    "llm": {
      // "gemini", "anthropic" and "azure-openai" are known, too.
      "protocol": "openai",
      "endpoints": [${JSON.stringify(url)}],
      // Several keys share the load. rpm, tpm and daily set the limits of one.
      "keys": [{ "name": "team-1", "value": "\${OPENAI_API_KEY}" }],
    },
  },
}
`,
  },
};

export const PLAYWRIGHT_CONFIG = `import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  reporter: [['list'], ['gemba-agent/reporter']],
});
`;

/** What a repository does not keep: secrets and what runs write. */
export const IGNORED: readonly string[] = ['node_modules/', 'test-results/', 'gemba-report/', '.env'];
