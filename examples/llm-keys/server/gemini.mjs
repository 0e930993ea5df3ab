// POST /v1beta/models/NAME:generateContent as Gemini answers it.

/** What a request asks and how it can be answered, or undefined where it is not one of Gemini's. */
export function gemini({ url, headers }, body) {
  if (!url.startsWith('/v1beta/models/')) return undefined;
  return {
    key: headers['x-goog-api-key'],
    question: body.contents.at(-1).parts[0].text,
    answer: (text) =>
      url.includes(':streamGenerateContent')
        ? { events: (text.match(/.{1,2}/g) ?? []).map((part) => JSON.stringify(candidate(part))) }
        : { body: candidate(text) },
    unknownKey: refusal(400, 'INVALID_ARGUMENT', 'API key not valid.', [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
    ]),
    // Google says how long to wait in the body; for a quota per day that is not meant.
    exhausted: limit('GenerateRequestsPerDayPerProjectPerModel-FreeTier', '30s'),
    throttled: limit('GenerateRequestsPerMinutePerProjectPerModel', '120s'),
  };
}

function candidate(text) {
  return { candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }] };
}

function limit(quotaId, retryDelay) {
  return refusal(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.', [
    { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId }] },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
  ]);
}

function refusal(code, status, message, details) {
  return { status: code, body: { error: { code, status, message, details } } };
}
