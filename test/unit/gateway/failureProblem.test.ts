import { expect, test } from 'vitest';
import { failureRules, problemOfFailure } from '../../../src/gateway/failureProblem.ts';

function fetchFailed(code: string, message = code): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) });
}

const rows: readonly (readonly [what: string, error: unknown, code: string, passes: boolean])[] = [
  ['name not found', fetchFailed('ENOTFOUND', 'getaddrinfo ENOTFOUND api.example'), 'noSuchHost', false],
  ['resolver down', fetchFailed('EAI_AGAIN'), 'noNetwork', true],
  ['no route', fetchFailed('ENETUNREACH'), 'noNetwork', true],
  ['nobody listens', fetchFailed('ECONNREFUSED'), 'refusedConnection', false],
  [
    'nobody listens on any address',
    new TypeError('fetch failed', {
      cause: new AggregateError([fetchFailed('ECONNREFUSED'), fetchFailed('ECONNREFUSED')]),
    }),
    'refusedConnection',
    false,
  ],
  ['reset', fetchFailed('ECONNRESET'), 'cut', true],
  ['closed by the other side', fetchFailed('UND_ERR_SOCKET', 'other side closed'), 'cut', true],
  ['body broke off', new TypeError('terminated', { cause: fetchFailed('UND_ERR_SOCKET') }), 'cut', true],
  ['not HTTP', fetchFailed('HPE_INVALID_CONSTANT'), 'cut', true],
  ['connecting took too long', fetchFailed('UND_ERR_CONNECT_TIMEOUT'), 'timedOut', true],
  ['no first byte', fetchFailed('UND_ERR_HEADERS_TIMEOUT'), 'timedOut', false],
  [
    'patience is over',
    new DOMException('The operation was aborted due to timeout', 'TimeoutError'),
    'timedOut',
    false,
  ],
  ['expired certificate', fetchFailed('CERT_HAS_EXPIRED'), 'untrustedCertificate', false],
  ['self-signed', fetchFailed('DEPTH_ZERO_SELF_SIGNED_CERT'), 'untrustedCertificate', false],
  ['company proxy', fetchFailed('SELF_SIGNED_CERT_IN_CHAIN'), 'untrustedCertificate', false],
  ['unknown issuer', fetchFailed('UNABLE_TO_GET_ISSUER_CERT_LOCALLY'), 'untrustedCertificate', false],
  ['another name', fetchFailed('ERR_TLS_CERT_ALTNAME_INVALID'), 'untrustedCertificate', false],
  ['TLS to a plain port', fetchFailed('ERR_SSL_PACKET_LENGTH_TOO_LONG'), 'noEncryption', false],
  [
    'redirect',
    new TypeError('fetch failed', { cause: new Error('unexpected redirect') }),
    'redirected',
    false,
  ],
  [
    'a port that fetch refuses',
    new TypeError('fetch failed', { cause: new Error('bad port') }),
    'badBaseUrl',
    false,
  ],
  ['Electron, offline', new Error('net::ERR_INTERNET_DISCONNECTED'), 'noNetwork', true],
  ['Electron, name', new Error('net::ERR_NAME_NOT_RESOLVED'), 'noSuchHost', false],
  ['Electron, certificate', new Error('net::ERR_CERT_AUTHORITY_INVALID'), 'untrustedCertificate', false],
  ['something else', new Error('whatever'), 'unreachable', true],
  ['not even an error', 'whatever', 'unreachable', true],
];

test.each(rows)('%s', (_, error, code, passes) => {
  expect(problemOfFailure('api.example:8080', error)).toMatchObject({
    code: `gateway.${code}`,
    passes,
    status: 502,
  });
});

test('the sentence names the host and the system’s code, and nothing else of the error', () => {
  expect(
    problemOfFailure('api.example', fetchFailed('ECONNREFUSED', 'connect with sk-secret-0000')).message,
  ).toBe('Nothing answers at api.example. (ECONNREFUSED)');
});

test('every rule has a row above, so none is dead', () => {
  const told = new Set(rows.map(([, , code]) => `gateway.${code}`));
  expect(failureRules.map(rule => rule.code).filter(code => !told.has(code))).toEqual([]);
});
