// ---- data -------------------------------------------------------------------------------------------------------
let loading;
/** Unpacked once, when first needed or when the page has come to rest. */
function load() {
  loading ??= (async () => {
    const bytes = Uint8Array.from(atob(byId('island').textContent), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const data = await new Response(stream).json();
    data.tests = data.tests.map((row, index) => readTest(row, index, data));
    data.byId = new Map(data.tests.map((test) => [test.id, test]));
    data.errors = data.errors.map((row) => readError(row, data));
    return data;
  })();
  return loading;
}
function readTest(row, index, data) {
  const [title, file, line, project, outcome, verdict, flags, cause, results] = row;
  const leases = results.flatMap((result) => result[7]);
  const members = [...new Set(leases.map(([member]) => data.members[member]))];
  const place = `${data.files[file]}:${line}${data.projects[project] ? ` · ${data.projects[project]}` : ''}`;
  return {
    index,
    id: data.ids[index],
    title,
    place,
    members,
    cause,
    results,
    outcome: OUTCOMES[outcome],
    verdict: VERDICTS[verdict] ?? null,
    tags: MARKS.filter((_mark, bit) => flags & (1 << bit)),
    took: results.reduce((sum, result) => sum + result[2], 0),
    waited: leases.reduce((sum, lease) => sum + lease[1], 0),
    text: [title, place, ...members].join(' ').toLowerCase(),
  };
}
function readError([at, pool, endpoint, key, kind, status, message, test], data) {
  const names = [data.names[pool], data.names[endpoint], data.names[key]];
  const found = data.tests[test];
  return {
    at: data.start + at,
    test: found,
    message: data.messages[message],
    member: names.filter(Boolean).join('/'),
    kind: data.names[kind],
    status,
    'error-pool': [names[0]],
    'error-member': names.slice(1).filter(Boolean).map((name) => `${names[0]}/${name}`),
    'error-kind': [data.names[kind]],
    'error-status': [status ? String(status) : 'no response'],
    'error-verdict': [found?.verdict ?? 'none'],
    text: `${names.join(' ')} ${data.messages[message]} ${found?.title ?? ''}`.toLowerCase(),
  };
}
/** An id may hold half a character, which no address can. */
const linkTo = ({ id }) => `#test=${encodeURIComponent(id.replaceAll(/[\uD800-\uDFFF]/gu, '\uFFFD'))}`;
const kindText = ({ kind, status }) => (status ? `${kind} ${status}` : kind);
function sayMore(button, left) {
  button.hidden = left <= 0;
  button.textContent = `Show ${count(Math.min(PAGE, left))} more`;
}
