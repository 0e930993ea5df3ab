// A server that speaks the wire formats of OpenAI and of Gemini, as much of them as the tests need.
import { createServer } from 'node:http';
import { gemini } from './gemini.mjs';
import { openai } from './openai.mjs';

/** Which limit may stand in the way of a customer's call. */
const LIMITS = [
  ['exhausted', ({ quotaIsGone }) => quotaIsGone === true],
  ['throttled', ({ throttledAfter = Infinity, calls }) => calls > throttledAfter],
];

const CAPITALS = { France: 'Paris', Japan: 'Tokyo', Kenya: 'Nairobi', Peru: 'Lima', Norway: 'Oslo' };

/** `customers`: { calls, refused, throttledAfter, quotaIsGone } by key; `calls` and `refused` are counted up. */
export async function startVendors(customers) {
  const answer = async (request, response) => {
    const body = await bodyOf(request);
    const call = [openai, gemini].map((vendor) => vendor(request, body)).find(Boolean);
    if (!call) return send(response, { status: 404, body: { error: { message: 'no such path' } } });
    const customer = customers.get(call.key);
    if (!customer) return send(response, call.unknownKey);
    customer.calls += 1;
    const limit = LIMITS.find(([, stands]) => stands(customer))?.[0];
    if (limit) customer.refused += 1;
    const country = Object.keys(CAPITALS).find((name) => call.question.includes(name));
    send(response, limit ? call[limit] : call.answer(CAPITALS[country] ?? 'I do not know'));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      send(response, { status: 500, body: { error: { message: String(error) } } });
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** `events` in place of `body` make a stream. */
function send(response, { status = 200, headers = {}, body, events }) {
  const type = events ? 'text/event-stream' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  if (!events) return response.end(JSON.stringify(body));
  for (const event of events) response.write(`data: ${event}\n\n`);
  response.end();
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
