// Small things that a page does, each with what can be seen of it. The same rows run in plain Playwright and with a lease.
// `ask` is in each page: a fetch, and what a page can see of its answer.
import { readFile } from 'node:fs/promises';

/** What one row sees. Rows in the page share one page; the others have one of their own in a shared context. */
const inPage = (title, see) => ({
  title,
  see: ({ page, foreign }) => page.evaluate(see, foreign),
  sharesPage: true,
});
const asks = (title, url, init) => ({
  title,
  see: ({ page, foreign }) =>
    page.evaluate(
      ([address, options]) => globalThis.ask(address, options),
      [url.replace('FOREIGN', foreign), init],
    ),
  sharesPage: true,
});
const onPage = (title, see, options) => ({ title, see, options });

/** Runs in each page first. */
export function helpers() {
  globalThis.ask = async (url, init) => {
    try {
      const response = await fetch(url, init);
      const text = init?.method === 'HEAD' ? '' : await response.text();
      const { status, type, redirected } = response;
      return { status, type, redirected, url: response.url, text: text.slice(0, 300), length: text.length };
    } catch (error) {
      return String(error);
    }
  };
  globalThis.load = (name, properties, into = 'body') =>
    new Promise((resolve) => {
      const element = Object.assign(document.createElement(name), properties);
      element.onload = () => resolve('load');
      element.onerror = () => resolve('error');
      document[into].append(element);
    });
  globalThis.until = async (holds) => {
    for (let again = 0; again < 50 && !holds(); again++)
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  globalThis.xhr = (method, url, { body, set, on } = {}) =>
    new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      set?.(request);
      for (const end of ['load', 'error', 'abort', 'timeout'])
        request.addEventListener(end, () =>
          resolve([
            end,
            request.status,
            request.responseURL,
            request.response?.byteLength ?? String(request.response),
          ]),
        );
      request.send(body);
      on?.(request);
    });
}

const answers = [
  asks('GET', '/echo'),
  asks('GET with a query', '/echo?a=%20b&flag&c=+&d=%C3%A4'),
  asks('GET with a fragment', '/echo#part'),
  asks('POST of JSON', '/echo', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
  }),
  asks('POST of nothing', '/echo', { method: 'POST' }),
  asks('PUT of text', '/echo', { method: 'PUT', body: 'text' }),
  asks('PATCH', '/echo', { method: 'PATCH', body: 'text' }),
  asks('DELETE', '/echo', { method: 'DELETE' }),
  asks('HEAD', '/echo', { method: 'HEAD' }),
  asks('OPTIONS', '/echo', { method: 'OPTIONS' }),
  asks('a header of its own', '/echo', { headers: { 'X-Own': 'mine' } }),
  asks('an authorization of its own', '/echo', { headers: { authorization: 'Own mine' } }),
  asks('no credentials', '/echo', { credentials: 'omit' }),
  asks('credentials', '/echo', { credentials: 'include' }),
  asks('no referrer', '/echo', { referrerPolicy: 'no-referrer' }),
  asks('a referrer of the origin alone', '/echo', { referrerPolicy: 'origin' }),
  asks('keepalive', '/echo', { method: 'POST', keepalive: true, body: 'kept' }),
  asks('priority', '/echo', { priority: 'low' }),
  asks('200 by no-store', '/echo', { cache: 'no-store' }),
  asks('200 by reload', '/echo', { cache: 'reload' }),
  asks('200 by no-cache', '/echo', { cache: 'no-cache' }),
  asks('integrity', '/status/200', { integrity: 'sha256-wrong' }),
  ...[201, 203, 204, 205, 400, 404, 405, 409, 410, 415, 418, 422].map((status) =>
    asks(`${status}`, `/status/${status}`),
  ),
  asks('a coded answer', '/gzip'),
  asks('4 MB', '/big'),
  asks('a broken answer', '/cut'),
  asks('a range', '/range', { headers: { range: 'bytes=2-5' } }),
  asks('all of what has ranges', '/range'),
  inPage('a form with fields', () => {
    const body = new FormData();
    body.append('name', 'ä');
    return globalThis.ask('/echo', { method: 'POST', body });
  }),
  inPage('a form with a file of 300 KB', () => {
    const body = new FormData();
    body.append('file', new File(['x'.repeat(300_000)], 'file.bin'));
    return globalThis.ask('/echo', { method: 'POST', body });
  }),
  inPage('a blob', () =>
    globalThis.ask('/echo', { method: 'POST', body: new Blob(['blob'], { type: 'text/own' }) }),
  ),
  inPage('bytes', () =>
    globalThis.ask('/echo', { method: 'POST', body: new Uint8Array([0, 255, 128, 10, 13]) }),
  ),
  inPage('search parameters', () =>
    globalThis.ask('/echo', { method: 'POST', body: new URLSearchParams({ a: 'ä b' }) }),
  ),
  inPage('headers of the answer', async () => {
    const { headers } = await fetch('/headers');
    return [headers.get('x-answer'), headers.get('x-twice'), headers.get('x-survey-key')];
  }),
  inPage('a stream in parts', async () => {
    const reader = (await fetch('/stream')).body.getReader();
    const times = [];
    for (let part = await reader.read(); !part.done; part = await reader.read())
      times.push(performance.now());
    return times.length >= 3 && times.at(-1) - times[0] > 60;
  }),
  inPage('an answer given up', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 400);
    return globalThis.ask('/slow/2000', { signal: controller.signal });
  }),
  inPage('a time limit', () => globalThis.ask('/slow/2000', { signal: AbortSignal.timeout(400) })),
  inPage('a cache entry to check again', async () => {
    const first = await globalThis.ask('/etag');
    return [first, await globalThis.ask('/etag')];
  }),
  inPage('a cache entry that is fresh', async () => {
    await globalThis.ask('/fresh');
    return globalThis.ask('/fresh');
  }),
  inPage('a cache entry alone', async () => {
    await globalThis.ask('/fresh?alone');
    return globalThis.ask('/fresh?alone', { cache: 'only-if-cached', mode: 'same-origin' });
  }),
  inPage('cookies', async () => {
    await globalThis.ask('/cookies');
    return [document.cookie, await globalThis.ask('/echo')];
  }),
];

const redirects = [
  ...[301, 302, 303, 307, 308].flatMap((status) => [
    asks(`${status} of GET`, `/redirect/${status}?to=/echo`),
    asks(`${status} of POST`, `/redirect/${status}?to=/echo`, { method: 'POST', body: 'body' }),
    asks(`${status} to another origin that allows it`, `/redirect/${status}?to=FOREIGN/echo?cors=any`),
  ]),
  asks('302 to another origin that does not', '/redirect/302?to=FOREIGN/echo'),
  asks('302 by hand', '/redirect/302?to=/echo', { redirect: 'manual' }),
  asks('302 as an error', '/redirect/302?to=/echo', { redirect: 'error' }),
  asks('a chain', '/redirect/302?to=/redirect/307?to=/redirect/303?to=/echo'),
  asks('a loop', '/loop'),
  inPage('there and back', (foreign) => {
    const back = encodeURIComponent(`${location.origin}/echo?cors=origin`);
    return globalThis.ask(
      `/redirect/302?to=${encodeURIComponent(`${foreign}/redirect/302?cors=any&to=${back}`)}`,
    );
  }),
];

const requests = [
  inPage('XHR', () => globalThis.xhr('GET', '/echo')),
  inPage('XHR of POST', () => globalThis.xhr('POST', '/echo', { body: 'text' })),
  inPage('XHR with a header', () =>
    globalThis.xhr('GET', '/echo', { set: (request) => request.setRequestHeader('x-own', 'mine') }),
  ),
  inPage('XHR after a redirect', () => globalThis.xhr('GET', '/redirect/302?to=/second')),
  inPage('XHR of bytes', () =>
    globalThis.xhr('GET', '/picture.png', {
      set: (request) => Object.assign(request, { responseType: 'arraybuffer' }),
    }),
  ),
  inPage('XHR given up', () =>
    globalThis.xhr('GET', '/slow/2000', { on: (request) => setTimeout(() => request.abort(), 400) }),
  ),
  inPage('XHR out of time', () =>
    globalThis.xhr('GET', '/slow/2000', { set: (request) => Object.assign(request, { timeout: 400 }) }),
  ),
  inPage('XHR that waits', () => {
    const request = new XMLHttpRequest();
    request.open('GET', '/echo', false);
    request.send();
    return [request.status, request.responseText];
  }),
  inPage('XHR and its upload', async () => {
    let loaded = 0;
    const set = (request) => request.upload.addEventListener('progress', (event) => (loaded = event.loaded));
    return [await globalThis.xhr('POST', '/echo', { body: 'x'.repeat(500_000), set }), loaded];
  }),
  inPage('headers of an XHR', async () => {
    const request = new XMLHttpRequest();
    request.open('GET', '/headers');
    await new Promise((resolve) => {
      request.onload = resolve;
      request.send();
    });
    return request.getAllResponseHeaders().replace(/date: .*\r\n/, '');
  }),
  inPage(
    'events',
    () =>
      new Promise((resolve) => {
        const source = new EventSource('/events');
        const seen = [];
        source.onmessage = ({ data }) => {
          if (seen.push(data) < 2) return;
          source.close();
          resolve(seen);
        };
        source.onerror = () => source.readyState === 2 && resolve('refused');
      }),
  ),
  inPage('a beacon', async () => {
    const sent = navigator.sendBeacon('/echo?beacon', 'body');
    await globalThis.ask('/slow/60');
    return sent;
  }),
  inPage('a picture', async () => [
    await globalThis.load('img', { src: '/picture.png?row' }),
    document.images[0].naturalWidth,
  ]),
  inPage('a picture that is not there', () => globalThis.load('img', { src: '/missing.png' })),
  inPage('a picture after a redirect', () =>
    globalThis.load('img', { src: '/redirect/302?to=/picture.png' }),
  ),
  inPage('a script', async () => [
    await globalThis.load('script', { src: '/script.js' }),
    globalThis.scriptRan,
  ]),
  inPage('a script with integrity', () =>
    globalThis.load('script', { src: '/script.js?integrity', integrity: 'sha256-AAAA' }),
  ),
  inPage('a module', async () => [
    await globalThis.load('script', { src: '/module.js', type: 'module' }),
    globalThis.moduleRan,
  ]),
  inPage('an import', async () => (await import('/dependency.js?imported').catch(String)).value),
  inPage('a style sheet', async () => {
    const loaded = await globalThis.load('link', { rel: 'stylesheet', href: '/style.css' }, 'head');
    const { color } = getComputedStyle(document.body);
    await globalThis.until(() =>
      performance.getEntriesByType('resource').some(({ name }) => name.endsWith('?background')),
    );
    return [loaded, color];
  }),
  inPage('a preload', () =>
    globalThis.load('link', { rel: 'preload', as: 'script', href: '/script.js?preload' }, 'head'),
  ),
  inPage('a module preload', () =>
    globalThis.load('link', { rel: 'modulepreload', href: '/dependency.js?preload' }, 'head'),
  ),
  inPage('an object', () => globalThis.load('object', { type: 'image/png', data: '/picture.png?object' })),
  inPage('a frame', async () => {
    await globalThis.load('iframe', { src: '/second?frame', name: 'same' });
    return frames.same.document.body.textContent;
  }),
  inPage('a font', () =>
    new FontFace('own', 'url(/status/200?font)').load().then(
      () => 'loaded',
      (error) => error.name,
    ),
  ),
  inPage(
    'a worker',
    () =>
      new Promise((resolve) => {
        const worker = new Worker('/worker.js');
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = () => resolve('error');
      }),
  ),
  inPage(
    'a module worker',
    () =>
      new Promise((resolve) => {
        const worker = new Worker('/worker-module.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = () => resolve('error');
      }),
  ),
  inPage(
    'a shared worker',
    () =>
      new Promise((resolve) => {
        const worker = new SharedWorker('/worker-shared.js');
        worker.port.onmessage = ({ data }) => resolve(data);
        worker.onerror = () => resolve('error');
        worker.port.start();
      }),
  ),
  inPage('timing of resources', async () => {
    await globalThis.ask('/echo?timed');
    await globalThis.ask('/slow/1');
    const [entry] = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('?timed'));
    return [entry?.name, entry?.responseStatus, entry?.initiatorType];
  }),
  inPage(
    'a page of another origin that asks, allowed',
    (foreign) =>
      new Promise((resolve) => {
        addEventListener('message', ({ data }) => resolve(data), { once: true });
        const to = encodeURIComponent(`${location.origin}/echo?cors=any`);
        void globalThis.load('iframe', { src: `${foreign}/asks?to=${to}` });
      }),
  ),
  inPage(
    'a page of another origin that asks, refused',
    (foreign) =>
      new Promise((resolve) => {
        addEventListener('message', ({ data }) => resolve(data), { once: true });
        const to = encodeURIComponent(`${location.origin}/echo`);
        void globalThis.load('iframe', { src: `${foreign}/asks?to=${to}` });
      }),
  ),
  inPage(
    'a sandboxed frame that asks',
    () =>
      new Promise((resolve) => {
        addEventListener('message', ({ data }) => resolve(data), { once: true });
        const srcdoc = `<script>fetch('${location.origin}/echo?cors=any').then((r) => r.text(), String).then((t) => parent.postMessage(t, '*'))</script>`;
        const frame = Object.assign(document.createElement('iframe'), { srcdoc });
        frame.sandbox = 'allow-scripts';
        document.body.append(frame);
      }),
  ),
];

/** A page of the other origin that asks the surveyed one. */
const crossing = [
  { title: 'allowed', cors: 'any', init: {} },
  { title: 'allowed with credentials', cors: 'credentials', init: { credentials: 'include' } },
  { title: 'refused for its credentials', cors: 'any', init: { credentials: 'include' } },
  { title: 'without CORS', cors: 'none', init: {} },
  { title: 'opaque', cors: 'none', init: { mode: 'no-cors' } },
  {
    title: 'allowed after a preflight',
    cors: 'any',
    init: { method: 'PUT', headers: { 'x-own': 'mine' }, body: 'text' },
  },
  { title: 'refused by a preflight', cors: 'refused', init: { method: 'PUT', headers: { 'x-own': 'mine' } } },
  { title: 'refused for its method', cors: 'any', init: { method: 'DELETE' } },
].map(({ title, cors, init }) =>
  onPage(`from another origin: ${title}`, async ({ page, foreign, self }) => {
    await page.goto(`${foreign}/page`);
    return page.evaluate(
      ([url, options]) => globalThis.ask(url, options),
      [`${self}/echo?cors=${cors}`, init],
    );
  }),
);

const clicking =
  (button, leads) =>
  async ({ page }) => {
    await page.goto('/form');
    await page.locator(`#${button} button`).click();
    await page.waitForURL(leads);
    return [page.url(), await page.locator('body').textContent()];
  };

const documents = [
  onPage('a document', async ({ page }) => {
    const response = await page.goto('/page');
    const { url } = { url: page.url() };
    return [response.status(), url, await page.title(), await response.text(), response.fromServiceWorker()];
  }),
  onPage('a document that is not there', async ({ page }) => {
    const response = await page.goto('/nothing');
    return [response.status(), await response.text()];
  }),
  onPage('a document with what belongs to it', async ({ page }) => {
    await page.goto('/assets', { waitUntil: 'networkidle' });
    return page.evaluate(() => [globalThis.scriptRan, globalThis.moduleRan, document.images[0].naturalWidth]);
  }),
  onPage('frames', async ({ page }) => {
    await page.goto('/frames', { waitUntil: 'networkidle' });
    return page.frames().map((frame) => frame.url());
  }),
  ...[301, 302, 303, 307, 308].map((status) =>
    onPage(`a document after ${status}`, async ({ page }) => {
      const response = await page.goto(`/redirect/${status}?to=/second`);
      const before = response.request().redirectedFrom();
      return [page.url(), response.status(), before.url(), (await before.response()).status()];
    }),
  ),
  onPage('a document after 302 to another origin', async ({ page, foreign }) => {
    const response = await page.goto(`/redirect/302?to=${foreign}/second`);
    return [page.url(), response.status(), await page.evaluate(() => document.referrer)];
  }),
  onPage('a document after a meta refresh', async ({ page }) => {
    await page.goto('/meta?to=/second');
    await page.waitForURL('/second');
    return page.url();
  }),
  onPage('a document after a script', async ({ page }) => {
    await page.goto('/location?to=/second');
    await page.waitForURL('/second');
    return page.evaluate(() => document.referrer);
  }),
  onPage('a loop of documents', ({ page }) => page.goto('/loop').then(String, ({ message }) => message)),
  onPage('no content', async ({ page }) => {
    await page.goto('/page');
    return [await page.goto('/status/204').then(String, ({ message }) => message), page.url()];
  }),
  onPage('a document that ends the connection', async ({ page }) => {
    await page.goto('/page');
    return page.goto('/reset').then(String, ({ message }) => message);
  }),
  onPage('reload', async ({ page }) => {
    await page.goto('/page');
    return [(await page.reload()).status(), page.url()];
  }),
  onPage('back and forward', async ({ page }) => {
    await page.goto('/page');
    await page.goto('/second');
    await page.goBack();
    const back = page.url();
    await page.goForward();
    return [back, page.url()];
  }),
  onPage('an address made by a script', async ({ page }) => {
    await page.goto('/page');
    await page.evaluate(() => history.pushState({}, '', '/second'));
    return [page.url(), (await page.reload()).status(), page.url()];
  }),
  onPage('a form by GET', clicking('get', /echo/)),
  onPage('a form by POST', clicking('post', /echo/)),
  onPage('a form answered by 307', clicking('kept', /echo/)),
  onPage('a form answered by 303', clicking('seen', /page/)),
  onPage('a form with a file', async ({ page }) => {
    await page.goto('/form');
    const file = { name: 'own.bin', mimeType: 'application/own', buffer: Buffer.alloc(50_000, 'y') };
    await page.locator('input[type=file]').setInputFiles(file);
    await page.locator('#file button').click();
    await page.waitForURL(/echo/);
    return page.locator('body').textContent();
  }),
  onPage('a popup by a link', async ({ page }) => {
    await page.goto('/form');
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.getByText('popup').click()]);
    await popup.waitForLoadState();
    return [popup.url(), await popup.locator('body').textContent()];
  }),
  onPage('a popup by a script', async ({ page }) => {
    await page.goto('/page');
    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate(() => void window.open('/second?popup')),
    ]);
    await popup.waitForLoadState();
    return [popup.url(), await popup.evaluate(() => [document.referrer, opener !== null])];
  }),
  onPage('a download by a link', async ({ page }) => {
    await page.goto('/form');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('save').click()]);
    return [download.suggestedFilename(), (await readFile(await download.path())).length];
  }),
  onPage('a download by its address', async ({ page }) => {
    const [download, error] = await Promise.all([
      page.waitForEvent('download'),
      page.goto('/download').then(String, ({ message }) => message),
    ]);
    return [download.url(), error.split('\n')[0], (await readFile(await download.path())).length];
  }),
  onPage('a policy of the page', async ({ page }) => {
    await page.goto('/csp');
    return page.evaluate(async () => {
      const violation = new Promise((resolve) =>
        addEventListener('securitypolicyviolation', resolve, { once: true }),
      );
      return [await globalThis.ask('/echo'), (await violation).violatedDirective];
    });
  }),
  onPage('a frame of another origin', async ({ page, foreign }) => {
    await page.goto(`/embed?to=${foreign}/second`, { waitUntil: 'networkidle' });
    return page.frames().map((frame) => frame.url());
  }),
  onPage('a socket', async ({ page }) => {
    await page.goto('/page');
    return page.evaluate(
      () =>
        new Promise((resolve) => {
          const socket = new WebSocket(`ws://${location.host}/socket`);
          socket.onmessage = ({ data }) => resolve(data);
          socket.onerror = () => resolve('error');
        }),
    );
  }),
  ...crossing,
];

const watched = [
  onPage('events of a page', async ({ page }) => {
    const seen = [];
    page.on('request', (request) =>
      seen.push(`> ${request.method()} ${request.resourceType()} ${request.url()}`),
    );
    page.on('requestfinished', (request) => seen.push(`. ${request.url()}`));
    page.on('requestfailed', (request) => seen.push(`x ${request.url()} ${request.failure().errorText}`));
    await page.goto('/page');
    await page.evaluate(() => globalThis.ask('/redirect/302?to=/echo'));
    await page.evaluate(() => globalThis.ask('/cut'));
    return seen;
  }),
  onPage('a request seen', async ({ page }) => {
    await page.goto('/page');
    const [request] = await Promise.all([
      page.waitForRequest('/echo'),
      page.evaluate(() =>
        globalThis.ask('/echo', { method: 'POST', headers: { 'x-own': 'mine' }, body: 'body' }),
      ),
    ]);
    return [
      request.method(),
      request.postData(),
      Object.keys(request.headers()).sort(),
      request.isNavigationRequest(),
    ];
  }),
  onPage('an answer seen', async ({ page }) => {
    await page.goto('/page');
    const [response] = await Promise.all([
      page.waitForResponse('/headers'),
      page.evaluate(() => globalThis.ask('/headers')),
    ]);
    const address = await response.serverAddr();
    return [
      response.status(),
      await response.headerValue('x-answer'),
      await response.text(),
      address.ipAddress,
    ];
  }),
  onPage('times of a request', async ({ page }) => {
    await page.goto('/page');
    const [request] = await Promise.all([
      page.waitForEvent('requestfinished'),
      page.evaluate(() => globalThis.ask('/echo')),
    ]);
    const { requestStart, responseStart, responseEnd } = request.timing();
    const { responseBodySize } = await request.sizes();
    return [requestStart >= 0, responseStart >= requestStart, responseEnd >= responseStart, responseBodySize];
  }),
  onPage('the console', async ({ page }) => {
    const seen = [];
    page.on('console', (message) => seen.push(message.text()));
    await page.goto('/page');
    await page.evaluate(() => globalThis.ask('/status/404'));
    return seen;
  }),
  onPage('a route that answers', async ({ page }) => {
    await page.route('**/answered', (route) => route.fulfill({ status: 202, body: 'by the test' }));
    await page.goto('/page');
    return page.evaluate(() => globalThis.ask('/answered'));
  }),
  onPage('a route that goes on', async ({ page }) => {
    await page.route('**/echo', (route) =>
      route.continue({ headers: { ...route.request().headers(), 'x-own': 'routed' } }),
    );
    await page.goto('/page');
    return page.evaluate(() => globalThis.ask('/echo'));
  }),
  onPage('a route that changes what is sent', async ({ page }) => {
    await page.route('**/echo', (route) => route.continue({ method: 'POST', postData: 'changed' }));
    await page.goto('/page');
    return page.evaluate(() => globalThis.ask('/echo'));
  }),
  onPage('a route that aborts', async ({ page }) => {
    await page.route('**/echo', (route) => route.abort('connectionrefused'));
    await page.goto('/page');
    return page.evaluate(() => globalThis.ask('/echo'));
  }),
  onPage('a route that fetches', async ({ page }) => {
    await page.route('**/echo', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `changed: ${await response.text()}` });
    });
    await page.goto('/page');
    return page.evaluate(() => globalThis.ask('/echo'));
  }),
  onPage('routes that fall back', async ({ page, context }) => {
    await context.route('**/echo', (route) =>
      route.continue({ headers: { ...route.request().headers(), 'x-own': 'last' } }),
    );
    await page.route('**/echo', (route) => route.fallback());
    await page.goto('/page');
    const seen = await page.evaluate(() => globalThis.ask('/echo'));
    await context.unroute('**/echo');
    return seen;
  }),
  onPage('routes taken away', async ({ page }) => {
    await page.route('**/echo', (route) => route.fulfill({ body: 'by the test' }));
    await page.goto('/page');
    await page.unrouteAll();
    return page.evaluate(() => globalThis.ask('/echo'));
  }),
  onPage('a route once', async ({ page }) => {
    await page.route('**/echo', (route) => route.fulfill({ body: 'by the test' }), { times: 1 });
    await page.goto('/page');
    const once = await page.evaluate(() => globalThis.ask('/echo'));
    // Playwright takes a used route away, and switches the cache on again, in its own time.
    await page.waitForTimeout(300);
    return [once, await page.evaluate(() => globalThis.ask('/echo'))];
  }),
  onPage('offline', async ({ page, context }) => {
    await page.goto('/page');
    await context.setOffline(true);
    const off = await page.evaluate(async () => [navigator.onLine, await globalThis.ask('/echo')]);
    await context.setOffline(false);
    return [off, await page.evaluate(() => globalThis.ask('/echo'))];
  }),
  onPage('a clock', async ({ page }) => {
    await page.clock.install({ time: new Date('2030-01-01T10:00:00Z') });
    await page.goto('/page');
    return page.evaluate(async () => [new Date().getFullYear(), await globalThis.ask('/echo')]);
  }),
  onPage('headers for all', async ({ page }) => {
    await page.setExtraHTTPHeaders({ 'x-own': 'everywhere' });
    await page.goto('/page');
    return page.evaluate(() => globalThis.ask('/echo'));
  }),
  onPage('cookies of the context', async ({ page, context, self }) => {
    await context.addCookies([{ name: 'given', value: '1', url: self }]);
    await page.goto('/page');
    await page.evaluate(() => globalThis.ask('/cookies'));
    const names = (await context.cookies()).map(({ name }) => name).sort();
    return [names, await page.evaluate(() => globalThis.ask('/echo'))];
  }),
  onPage('requests of the page fixture', async ({ page }) => {
    const response = await page.request.post('/echo', { data: { a: 1 } });
    return [response.status(), await response.json(), response.url()];
  }),
  onPage('addresses', async ({ page, expect }) => {
    await page.goto('/page');
    await expect(page).toHaveURL('/page');
    await page.goto('second');
    await page.waitForURL('/second');
    return page.url();
  }),
];

const ownContexts = [
  onPage(
    'no JavaScript',
    async ({ page }) => {
      await page.goto('/redirect/302?to=/noscript');
      return [page.url(), await page.locator('p').textContent(), await page.title()];
    },
    { javaScriptEnabled: false },
  ),
  onPage(
    'a name and a language',
    async ({ page }) => {
      await page.goto('/page');
      return page.evaluate(() => globalThis.ask('/echo'));
    },
    { userAgent: 'Survey/1', locale: 'de-DE' },
  ),
  onPage(
    'a password',
    async ({ page }) => {
      const response = await page.goto('/basic');
      return [response.status(), await response.text()];
    },
    { httpCredentials: { username: 'ann', password: 'secret' } },
  ),
  onPage(
    'a service worker',
    async ({ page }) => {
      await page.goto('/page');
      return page.evaluate(async () => {
        const controlled = new Promise((resolve) =>
          navigator.serviceWorker.addEventListener('controllerchange', resolve),
        );
        await navigator.serviceWorker.register('/service-worker.js');
        await controlled;
        return [
          await globalThis.ask('/made'),
          await globalThis.ask('/passed'),
          await globalThis.ask('/echo'),
        ];
      });
    },
    {},
  ),
  onPage(
    'no service workers',
    async ({ page }) => {
      await page.goto('/page');
      return page.evaluate(() =>
        navigator.serviceWorker.register('/service-worker.js').then(() => 'registered', String),
      );
    },
    { serviceWorkers: 'block' },
  ),
  onPage(
    'a HAR file',
    async ({ page, context, harFile }) => {
      await page.goto('/page');
      await page.evaluate(() => globalThis.ask('/redirect/302?to=/echo'));
      await context.close();
      const { log } = JSON.parse(await readFile(harFile, 'utf8'));
      return log.entries.map(({ request, response }) => [
        request.method,
        request.url.replace(/[?&]surveyKey=.*/, ''),
        response.status,
        response.content.text ?? null,
      ]);
    },
    { recordHar: true },
  ),
  onPage(
    'headers of the context',
    async ({ page }) => {
      await page.goto('/page');
      return page.evaluate(() => globalThis.ask('/echo'));
    },
    { extraHTTPHeaders: { 'x-own': 'of the context' } },
  ),
];

export const groups = [
  { title: 'answers', rows: answers },
  { title: 'redirects', rows: redirects },
  { title: 'requests', rows: requests },
  { title: 'documents', rows: documents },
  { title: 'watched', rows: watched },
  { title: 'contexts', rows: ownContexts },
];
