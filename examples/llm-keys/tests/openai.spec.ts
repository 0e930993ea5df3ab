import { expect, test } from './clients.ts';

test.use({ gembaPool: 'openai' });

const CAPITALS = { France: 'Paris', Japan: 'Tokyo', Kenya: 'Nairobi', Peru: 'Lima', Norway: 'Oslo' };

for (const [country, capital] of Object.entries(CAPITALS)) {
  test(`OpenAI knows the capital of ${country}`, async ({ openai }) => {
    const completion = await openai.chat.completions.create({
      model: 'gpt-5-mini',
      messages: [{ role: 'user', content: `The capital of ${country}? One word.` }],
    });
    expect(completion.choices[0]?.message.content).toBe(capital);
  });
}

test('OpenAI streams', async ({ openai }) => {
  const stream = await openai.chat.completions.create({
    model: 'gpt-5-mini',
    messages: [{ role: 'user', content: 'The capital of Kenya? One word.' }],
    stream: true,
  });
  const parts: string[] = [];
  for await (const chunk of stream) parts.push(chunk.choices[0]?.delta.content ?? '');
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.join('')).toBe('Nairobi');
});

test('OpenAI keeps up a conversation', async ({ openai }) => {
  const messages: { role: 'user' | 'assistant'; content: string }[] = [];
  for (const country of ['Peru', 'Norway']) {
    messages.push({ role: 'user', content: `And the capital of ${country}?` });
    const completion = await openai.chat.completions.create({ model: 'gpt-5-mini', messages });
    messages.push({ role: 'assistant', content: completion.choices[0]?.message.content ?? '' });
  }
  expect(messages.filter(({ role }) => role === 'assistant').map(({ content }) => content)).toEqual([
    'Lima',
    'Oslo',
  ]);
});
