// Playwright's global setup: starts a shop with an API that takes tokens of 4 seconds, and a sign-in that takes each one-time
// code once. It makes the secrets up.
import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

const TOKEN_S = 4;
/** Seconds. Real ones are 30: these make the example quick. */
const PERIOD_S = 3;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export default async function start() {
  const seed = randomBytes(20);
  const clients = new Map([
    ['ci-1', randomBytes(16).toString('hex')],
    ['ci-2', randomBytes(16).toString('hex')],
  ]);
  const counts = { minted: 0, clientsRefused: 0, calls: 0, refused: 0, signIns: 0, codesRefused: 0 };
  const ends = new Map();
  const usedSteps = new Set();

  const token = (request, response) => {
    const [id, secret] = Buffer.from(String(request.headers.authorization).slice(6), 'base64')
      .toString()
      .split(':');
    if (clients.get(id) !== secret) {
      counts.clientsRefused++;
      return json(response, 401, { error: 'invalid_client' });
    }
    const value = randomBytes(16).toString('hex');
    ends.set(value, Date.now() + TOKEN_S * 1000);
    counts.minted++;
    return json(response, 200, { access_token: value, token_type: 'Bearer', expires_in: TOKEN_S });
  };

  const orders = (request, response) => {
    const value = String(request.headers.authorization).replace('Bearer ', '');
    const isGood = (ends.get(value) ?? 0) > Date.now();
    counts.calls++;
    if (!isGood) counts.refused++;
    return json(response, isGood ? 200 : 401, isGood ? [{ id: 17 }] : {});
  };

  const signIn = (url, response) => {
    const now = Math.floor(Date.now() / 1000 / PERIOD_S);
    const step = [now, now - 1].find((each) => codeOf(seed, each) === url.searchParams.get('code'));
    const isGood = step !== undefined && !usedSteps.has(step);
    if (step !== undefined) usedSteps.add(step);
    if (isGood) counts.signIns++;
    else counts.codesRefused++;
    return json(response, isGood ? 200 : 403, {});
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://shop');
    if (url.pathname === '/token') return token(request, response);
    return url.pathname === '/sign-in' ? signIn(url, response) : orders(request, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  process.env.SHOP_URL = `http://127.0.0.1:${server.address().port}`;
  process.env.CI_1_SECRET = clients.get('ci-1');
  process.env.CI_2_SECRET = 'not-the-secret-of-ci-2';
  process.env.ADA_TOTP = `otpauth://totp/shop:ada?secret=${base32(seed)}&period=${PERIOD_S}`;
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const { minted, calls, refused, signIns, codesRefused } = counts;
    console.log(
      `\nThe shop minted ${minted} tokens for ${calls} calls and refused ${refused}; ` +
        `it took ${signIns} codes and refused ${codesRefused}.`,
    );
  };
}

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function base32(bytes) {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replace(/.{5}/g, (five) => BASE32[Number.parseInt(five, 2)]);
}

/** RFC 6238 with SHA1 and 6 digits. */
function codeOf(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', secret).update(counter).digest();
  const at = digest.at(-1) & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1e6).padStart(6, '0');
}
