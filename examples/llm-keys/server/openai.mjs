// POST /v1/chat/completions as OpenAI answers it.

/** What a request asks and how it can be answered, or undefined where it is not one of OpenAI's. */
export function openai({ url, headers }, body) {
  if (!url.startsWith('/v1/chat/completions')) return undefined;
  const about = { id: 'chatcmpl-1', created: 1, model: body.model };
  return {
    key: /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1],
    question: body.messages.at(-1).content,
    answer: (text) =>
      body.stream
        ? { events: [...chunks(text).map((part) => chunk(about, part)), '[DONE]'] }
        : {
            body: {
              ...about,
              object: 'chat.completion',
              choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
            },
          },
    unknownKey: refusal(401, 'invalid_api_key', 'Incorrect API key provided'),
    exhausted: refusal(429, 'insufficient_quota', 'You exceeded your current quota'),
    throttled: {
      ...refusal(429, 'rate_limit_exceeded', 'Rate limit reached for requests'),
      headers: { 'retry-after': '120' },
    },
  };
}

function chunk(about, content) {
  const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }];
  return JSON.stringify({ ...about, object: 'chat.completion.chunk', choices });
}

/** Two letters each. */
function chunks(text) {
  return text.match(/.{1,2}/g) ?? [];
}

function refusal(status, code, message) {
  return { status, body: { error: { message, type: code, code } } };
}
