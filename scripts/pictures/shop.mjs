// The shop that the pictures' suite runs against: three replicas with faults on a timetable. Prints its addresses as
// JSON and serves until its input ends.
import { createServer } from 'node:http';

/** Run 1 is the oldest of the trends; the last one is the report that is shown. */
const [run = 1, runs = 1] = process.argv.slice(2).map(Number);
const isLast = run === runs;
const LATENCY_MS = { eu: 35, us: 60, ap: 95 };
/** From which request to which a replica refuses connections, or answers 503: not by the clock, for machines differ. */
const REFUSES = isLast ? { eu: [90, 190] } : run === 2 ? { us: [60, 120] } : {};
const BUSY = isLast ? { ap: [230, 330] } : {};
const READS_PER_SECOND = 4;

let requests = 0;
let sessions = 0;
let throttled = [];

const addresses = {};
for (const name of Object.keys(LATENCY_MS)) addresses[name] = await start(name);
process.stdout.write(`${JSON.stringify(addresses)}\n`);
process.stdin.on('end', () => process.exit()).resume();

function within(span) {
  return span !== undefined && requests >= span[0] && requests < span[1];
}

/** A replica listens while its timetable says so: at other times its connections are refused. */
async function start(name) {
  const server = createServer((request, response) => {
    requests++;
    setTimeout(() => answer(name, request, response), LATENCY_MS[name] * (0.7 + Math.random() * 0.6));
  });
  await listen(server, 0);
  const { port } = server.address();
  let listening = true;
  setInterval(() => {
    if (within(REFUSES[name]) !== listening) return;
    listening = !listening;
    if (listening) void listen(server, port);
    else server.close(() => {}).closeAllConnections();
  }, 50);
  return `http://127.0.0.1:${port}`;
}

function listen(server, port) {
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
}

function answer(name, request, response) {
  const send = (status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
  const key = request.headers.authorization?.slice('Bearer '.length);
  const { pathname } = new URL(request.url, 'http://any');
  if (within(BUSY[name]) && Math.random() < 0.7) return send(503, { error: 'busy' });
  if (key === undefined || key.startsWith('revoked')) return send(401, { error: 'unknown key' });
  if (key.startsWith('limited') && isThrottled())
    return send(429, { error: 'slow down' }, { 'retry-after': '2' });
  if (pathname === '/sessions/quick' && isLast && ++sessions > 4) return send(410, { error: 'gone' });
  if (pathname === '/invoices/7') return send(200, { total: 119, lines: [70, 50] });
  if (pathname === '/reports/yearly' && (run > 2 || isLast)) return send(500, { error: 'division by zero' });
  send(200, { total: 120, lines: [70, 50], from: name });
}

function isThrottled() {
  throttled = [...throttled.filter((at) => Date.now() - at < 1000), Date.now()];
  return throttled.length > READS_PER_SECOND;
}
