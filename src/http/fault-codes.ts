/** What a failure without an answer is. */
export interface FaultClass {
  readonly kind: 'network' | 'timeout' | 'caller';
  /** Nothing of the request reached the server that it was for. */
  readonly unsent: boolean;
  /** Whether it may be this machine's own network: no, perhaps (so where every endpoint fails alike), or surely. */
  readonly local: 'no' | 'perhaps' | 'yes';
}

const DOWN: FaultClass = { kind: 'network', unsent: true, local: 'no' };
const UNREACHABLE: FaultClass = { kind: 'network', unsent: true, local: 'perhaps' };
const HERE: FaultClass = { kind: 'network', unsent: true, local: 'yes' };
const BROKEN: FaultClass = { kind: 'network', unsent: false, local: 'no' };
const SLOW: FaultClass = { kind: 'timeout', unsent: false, local: 'no' };
const NO_CONNECTION: FaultClass = { kind: 'timeout', unsent: true, local: 'no' };
const CALLER: FaultClass = { kind: 'caller', unsent: false, local: 'no' };

/** Codes of Node.js (`error.code`), of its TLS, and of undici. */
const CODES: readonly (readonly [FaultClass, readonly string[]])[] = [
  [DOWN, ['ECONNREFUSED', 'EHOSTDOWN', 'EPROTO', 'UND_ERR_PRX_TLS', 'ERR_SOCKS']],
  [
    UNREACHABLE,
    ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME', 'EHOSTUNREACH', 'ENETUNREACH'],
  ],
  [HERE, ['ENETDOWN', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EACCES', 'EPERM']],
  [
    BROKEN,
    [
      'ECONNRESET',
      'ECONNABORTED',
      'EPIPE',
      'ENOTCONN',
      'ESHUTDOWN',
      'UND_ERR_SOCKET',
      'UND_ERR_CLOSED',
      'UND_ERR_DESTROYED',
      'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
      'UND_ERR_RES_EXCEEDED_MAX_SIZE',
      'UND_ERR_HEADERS_OVERFLOW',
      'ERR_STREAM_PREMATURE_CLOSE',
      'ERR_HTTP2_STREAM_ERROR',
      'ERR_HTTP2_SESSION_ERROR',
    ],
  ],
  [SLOW, ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ESOCKETTIMEDOUT', 'TimeoutError']],
  [NO_CONNECTION, ['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']],
  [
    CALLER,
    [
      'AbortError',
      'ABORT_ERR',
      'UND_ERR_ABORTED',
      'ERR_INVALID_URL',
      'ERR_INVALID_ARG_TYPE',
      'ERR_INVALID_CHAR',
      'ERR_INVALID_PROTOCOL',
      'ERR_UNESCAPED_CHARACTERS',
      'ERR_HTTP_INVALID_HEADER_VALUE',
      'UND_ERR_INVALID_ARG',
      'UND_ERR_NOT_SUPPORTED',
      'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
    ],
  ],
];

/** Families of codes. A certificate that does not fit ends the handshake, before anything is sent. */
const FAMILIES: readonly (readonly [RegExp, FaultClass])[] = [
  [
    /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_|ERR_SSL_|CRL_|HOSTNAME_MISMATCH)/,
    DOWN,
  ],
  [/^HPE_/, BROKEN],
  [/^ERR_HTTP2_/, BROKEN],
];

/** How browsers say it: Chromium, Firefox, WebKit. The first that fits decides. */
const BROWSERS: readonly (readonly [RegExp, FaultClass])[] = [
  [
    /ERR_(?:INTERNET_DISCONNECTED|NETWORK_CHANGED|NETWORK_IO_SUSPENDED|INSUFFICIENT_RESOURCES|NETWORK_ACCESS_DENIED)|NS_ERROR_OFFLINE/,
    HERE,
  ],
  [
    /ERR_(?:NAME_NOT_RESOLVED|NAME_RESOLUTION_FAILED|ADDRESS_UNREACHABLE|DNS_\w+)|NS_ERROR_UNKNOWN_HOST|could not resolve host/i,
    UNREACHABLE,
  ],
  [
    /ERR_CONNECTION_REFUSED|NS_ERROR_CONNECTION_REFUSED|could not connect to (?:the )?server|connection refused/i,
    DOWN,
  ],
  [
    /ERR_(?:CERT_\w+|SSL_\w+|BAD_SSL_\w+|PROXY_CONNECTION_FAILED|TUNNEL_CONNECTION_FAILED|SOCKS_\w+)|SEC_ERROR_|SSL_ERROR_|MOZILLA_PKIX_/,
    DOWN,
  ],
  [/ERR_CONNECTION_TIMED_OUT/, NO_CONNECTION],
  [/ERR_TIMED_OUT|NS_ERROR_NET_TIMEOUT/, SLOW],
  [
    /ERR_(?:CONNECTION_(?:RESET|CLOSED|ABORTED|FAILED)|EMPTY_RESPONSE|INVALID_HTTP_RESPONSE|INVALID_CHUNKED_ENCODING|INCOMPLETE_CHUNKED_ENCODING|CONTENT_LENGTH_MISMATCH|CONTENT_DECODING_FAILED|HTTP2_\w+|QUIC_\w+|RESPONSE_HEADERS_\w+|SOCKET_NOT_CONNECTED)|NS_ERROR_NET_(?:RESET|INTERRUPT|PARTIAL_TRANSFER|EMPTY_RESPONSE)/,
    BROKEN,
  ],
  [
    /net::ERR_(?:ABORTED|FAILED|BLOCKED_\w+|INVALID_\w+|UNSAFE_PORT|UNKNOWN_URL_SCHEME|DISALLOWED_URL_SCHEME|TOO_MANY_REDIRECTS|FILE_NOT_FOUND)|NS_BINDING_ABORTED|NS_ERROR_(?:ABORT|MALFORMED_URI|REDIRECT_LOOP)/,
    CALLER,
  ],
  [/net::ERR_\w+|NS_ERROR_\w+/, BROKEN],
];

/** How Node.js and Playwright say it where no code is left. */
const PHRASES: readonly (readonly [RegExp, FaultClass])[] = [
  [/before secure TLS connection was established/, DOWN],
  [/socket hang up|other side closed|Parse Error: |terminated$|premature close/i, BROKEN],
  [/Timeout \d+ms exceeded|Request timed out|timed out after \d+ ?ms/i, SLOW],
  [
    /has been closed|context disposed|Test ended|was aborted|request cancelled|Max redirect count exceeded|Invalid URL/i,
    CALLER,
  ],
];

const BY_CODE = new Map(CODES.flatMap(([fault, codes]) => codes.map((code) => [code, fault] as const)));
const BROWSER_CODE = /(?:net::ERR|NS_ERROR|NS_BINDING|SEC_ERROR|SSL_ERROR|MOZILLA_PKIX)_\w+/;
/** A code of Node.js within a message, such as Playwright's `apiRequestContext.get: connect ECONNREFUSED ::1:80`. */
const CODE_IN_TEXT = /\b(?:E[A-Z]{3,}(?:_[A-Z]+)*|UND_ERR_[A-Z_]+|HPE_[A-Z_]+|CERT_[A-Z_]+)\b/g;

export function classOfCode(code: string): FaultClass | null {
  return BY_CODE.get(code) ?? FAMILIES.find(([family]) => family.test(code))?.[1] ?? null;
}

/** What a message alone says, with the code or name that it was known by. */
export function classOfText(
  text: string,
): { readonly fault: FaultClass; readonly code: string | null } | null {
  for (const [code] of text.matchAll(CODE_IN_TEXT)) {
    const fault = classOfCode(code);
    if (!fault) continue;
    const late = new RegExp(`\\b(?:read|write) ${code}`).test(text);
    return { fault: late ? { ...fault, unsent: false } : fault, code };
  }
  const found = [...BROWSERS, ...PHRASES].find(([phrase]) => phrase.test(text));
  return found ? { fault: found[1], code: BROWSER_CODE.exec(text)?.[0] ?? null } : null;
}
