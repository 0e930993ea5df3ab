import { expect, test } from './clients.ts';

test.use({ gembaPool: 'gemini' });

const CAPITALS = { France: 'Paris', Japan: 'Tokyo', Kenya: 'Nairobi', Peru: 'Lima', Norway: 'Oslo' };

for (const [country, capital] of Object.entries(CAPITALS)) {
  test(`Gemini knows the capital of ${country}`, async ({ gemini }) => {
    const contents = `The capital of ${country}? One word.`;
    const answer = await gemini.models.generateContent({ model: 'gemini-2.5-flash', contents });
    expect(answer.text).toBe(capital);
  });
}

test('Gemini streams', async ({ gemini }) => {
  const contents = 'The capital of Kenya? One word.';
  const parts: string[] = [];
  for await (const part of await gemini.models.generateContentStream({ model: 'gemini-2.5-flash', contents }))
    parts.push(part.text ?? '');
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.join('')).toBe('Nairobi');
});
