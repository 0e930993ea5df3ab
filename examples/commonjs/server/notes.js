const { createServer } = require('node:http');

/** A server that keeps notes for whoever has the key. */
exports.startNotes = async function startNotes(key) {
  const notes = [];

  const answer = async (request) => {
    const text = await bodyOf(request);
    if (request.headers['x-api-key'] !== key) return [401, { error: 'a key is needed' }];
    if (request.method === 'GET' && request.url === '/notes') return [200, notes];
    if (request.method !== 'POST' || request.url !== '/notes') return [404, { error: 'not here' }];
    const note = { id: notes.length + 1, ...JSON.parse(text) };
    notes.push(note);
    return [201, note];
  };

  const server = createServer((request, response) => {
    const send = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    answer(request).then(
      ([status, body]) => send(status, body),
      (error) => send(500, { error: String(error) }),
    );
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
};

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
