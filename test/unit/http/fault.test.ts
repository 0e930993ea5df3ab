import { describe, expect, it } from 'vitest';
import { faultOf } from '../../../src/http/fault.ts';
import { deadUrl } from '../../harness/servers.ts';

function coded(code: string, more: object = {}): Error {
  return Object.assign(new Error('failed'), { code, ...more });
}

describe('an error without an answer', () => {
  it.each([
    [coded('ECONNREFUSED'), 'network', true, 'no'],
    [coded('ENOTFOUND', { syscall: 'getaddrinfo' }), 'network', true, 'perhaps'],
    [coded('EAI_AGAIN'), 'network', true, 'perhaps'],
    [coded('ENETUNREACH', { syscall: 'connect' }), 'network', true, 'perhaps'],
    [coded('ENETUNREACH', { syscall: 'read' }), 'network', false, 'perhaps'],
    [coded('ENETDOWN'), 'network', true, 'yes'],
    [coded('EMFILE'), 'network', true, 'yes'],
    [coded('ECONNRESET', { syscall: 'read' }), 'network', false, 'no'],
    [coded('EPIPE'), 'network', false, 'no'],
    [coded('UND_ERR_SOCKET'), 'network', false, 'no'],
    [coded('HPE_INVALID_CONSTANT'), 'network', false, 'no'],
    [coded('ETIMEDOUT', { syscall: 'connect' }), 'timeout', true, 'no'],
    [coded('ETIMEDOUT', { syscall: 'read' }), 'timeout', false, 'no'],
    [coded('UND_ERR_CONNECT_TIMEOUT'), 'timeout', true, 'no'],
    [coded('UND_ERR_HEADERS_TIMEOUT'), 'timeout', false, 'no'],
    [coded('UND_ERR_BODY_TIMEOUT'), 'timeout', false, 'no'],
    [coded('CERT_HAS_EXPIRED'), 'network', true, 'no'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'network', true, 'no'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'network', true, 'no'],
    [coded('ERR_INVALID_URL'), 'caller', false, 'no'],
    [new DOMException('aborted', 'AbortError'), 'caller', false, 'no'],
    [new DOMException('late', 'TimeoutError'), 'timeout', false, 'no'],
    [new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }), 'network', true, 'no'],
    [
      new Error('Client network socket disconnected before secure TLS connection was established'),
      'network',
      true,
      'no',
    ],
    [
      coded('ECONNRESET', {
        message: 'Client network socket disconnected before secure TLS connection was established',
      }),
      'network',
      true,
      'no',
    ],
    [new AggregateError([coded('ENETUNREACH'), coded('ECONNREFUSED')]), 'network', true, 'no'],
    [new AggregateError([coded('ENETUNREACH'), coded('ENETUNREACH')]), 'network', true, 'perhaps'],
    [new Error('Proxy response (407) !== 200 when HTTP Tunneling'), 'network', true, 'no'],
    ['apiRequestContext.get: connect ECONNREFUSED ::1:80\nCall log:', 'network', true, 'no'],
    ['apiRequestContext.post: read ECONNRESET', 'network', false, 'no'],
    ['apiRequestContext.get: read ETIMEDOUT', 'timeout', false, 'no'],
    ['apiRequestContext.get: socket hang up', 'network', false, 'no'],
    ['apiRequestContext.get: Timeout 5000ms exceeded.', 'timeout', false, 'no'],
    ['apiRequestContext.get: Target page, context or browser has been closed', 'caller', false, 'no'],
    ['page.goto: net::ERR_CONNECTION_REFUSED at http://127.0.0.1:1/', 'network', true, 'no'],
    ['page.goto: net::ERR_NAME_NOT_RESOLVED at http://x.invalid/', 'network', true, 'perhaps'],
    ['page.goto: net::ERR_INTERNET_DISCONNECTED at http://x.test/', 'network', true, 'yes'],
    ['page.goto: net::ERR_CERT_DATE_INVALID at https://x.test/', 'network', true, 'no'],
    ['net::ERR_EMPTY_RESPONSE', 'network', false, 'no'],
    ['net::ERR_HTTP_RESPONSE_CODE_FAILURE', 'network', false, 'no'],
    ['net::ERR_CONNECTION_TIMED_OUT', 'timeout', true, 'no'],
    ['net::ERR_ABORTED', 'caller', false, 'no'],
    ['NS_ERROR_CONNECTION_REFUSED', 'network', true, 'no'],
    ['NS_BINDING_ABORTED', 'caller', false, 'no'],
    ['Could not connect to server', 'network', true, 'no'],
  ])('%s is %s, unsent: %s, of this machine: %s', (error, kind, unsent, local) => {
    expect(faultOf(error)).toMatchObject({ kind, unsent, local });
  });

  it.each([new Error('expected 1 to be 2'), 'ok', null, undefined, 7, {}])('%s is none', (error) => {
    expect(faultOf(error)).toBeNull();
  });

  it('is known by its code, also as real fetches throw it', async () => {
    const error: unknown = await fetch(await deadUrl()).catch((thrown: unknown) => thrown);
    expect(faultOf(error)).toMatchObject({ kind: 'network', code: 'ECONNREFUSED', unsent: true });
    expect(faultOf('page.goto: net::ERR_CONNECTION_RESET at http://x.test/')?.code).toBe(
      'net::ERR_CONNECTION_RESET',
    );
    const loop: { cause?: unknown } = {};
    loop.cause = loop;
    expect(faultOf(loop)).toBeNull();
  });
});
