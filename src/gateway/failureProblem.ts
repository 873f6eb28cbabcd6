import type { Problem } from './problem.ts';

interface FailureRule {
  readonly code: string;
  /** System, TLS, undici and Chromium names for the same failure. */
  readonly names: RegExp;
  readonly passes: boolean;
  readonly message: (host: string) => string;
  readonly remedy: string;
}

/** The problem behind a request that got no answer. `host` is the name and port that was asked. */
export function problemOfFailure(host: string, error: unknown): Problem {
  const names = failureNames(error);
  const rule = failureRules.find(rule => names.some(name => rule.names.test(name))) ?? unknownFailure;
  const known = names.find(name => /^[A-Z][A-Z0-9_]{2,60}$/.test(name));
  return {
    code: rule.code,
    message: known === undefined ? rule.message(host) : `${rule.message(host)} (${known})`,
    remedy: rule.remedy,
    status: 502,
    passes: rule.passes,
  };
}

export const failureRules: readonly FailureRule[] = [
  {
    code: 'gateway.redirected',
    names: /unexpected redirect|redirect mode is set to error|ERR_UNSAFE_REDIRECT/i,
    passes: false,
    message: host =>
      `${host} answered with a redirect, which Cordon does not follow, because the key would go along.`,
    remedy: 'Set the base URL to the address that it redirects to, if you trust it.',
  },
  {
    code: 'gateway.badBaseUrl',
    names: /bad port|ERR_UNSAFE_PORT/i,
    passes: false,
    message: host => `${host} is on a port that web clients refuse to use.`,
    remedy: 'Let the model server listen on another port and set the base URL to it.',
  },
  {
    code: 'gateway.noSuchHost',
    names: /ENOTFOUND|ENODATA|ERR_NAME_NOT_RESOLVED|EAI_NONAME/,
    passes: false,
    message: host => `The address ${host} was not found.`,
    remedy: 'Check the network connection and, if you set one, the base URL.',
  },
  {
    code: 'gateway.noNetwork',
    names:
      /EAI_AGAIN|ENETUNREACH|ENETDOWN|EHOSTUNREACH|EHOSTDOWN|EADDRNOTAVAIL|ERR_INTERNET_DISCONNECTED|ERR_ADDRESS_UNREACHABLE|ERR_NETWORK_CHANGED/,
    passes: true,
    message: host => `There is no network connection to ${host}.`,
    remedy: 'Check the network connection (VPN, proxy) and send the message again.',
  },
  {
    code: 'gateway.refusedConnection',
    names: /ECONNREFUSED|ERR_CONNECTION_REFUSED/,
    passes: false,
    message: host => `Nothing answers at ${host}.`,
    remedy: 'If this is a local model server, start it; else check the base URL.',
  },
  {
    code: 'gateway.noEncryption',
    names: /EPROTO|ERR_SSL_(WRONG_VERSION|PACKET_LENGTH|PROTOCOL)/,
    passes: false,
    message: host => `${host} does not answer with an encrypted connection, so nothing was sent.`,
    remedy: 'If it is a model server on this machine, its base URL begins with http:// instead of https://.',
  },
  {
    code: 'gateway.untrustedCertificate',
    names:
      /CERT_|_CERT|CERTIFICATE|UNABLE_TO_(VERIFY|GET)|SELF_SIGNED|HOSTNAME_MISMATCH|ERR_CERT|ERR_TLS|ERR_SSL|ERR_BAD_SSL/,
    passes: false,
    message: host => `The encrypted connection to ${host} could not be trusted, so nothing was sent.`,
    remedy:
      'If a company proxy inspects traffic, add its certificate to the system (or NODE_EXTRA_CA_CERTS); else check the address and the clock.',
  },
  {
    code: 'gateway.timedOut',
    names: /ETIMEDOUT|ESOCKETTIMEDOUT|UND_ERR_CONNECT_TIMEOUT|ERR_CONNECTION_TIMED_OUT/,
    passes: true,
    message: host => `${host} could not be reached in time.`,
    remedy: 'Check the network connection (VPN, proxy) and, if you set one, the base URL.',
  },
  {
    code: 'gateway.timedOut',
    names: /UND_ERR_(HEADERS|BODY)_TIMEOUT|ERR_TIMED_OUT|TimeoutError/,
    // Minutes were waited already; four more times would be most of an hour.
    passes: false,
    message: host => `${host} took too long to answer.`,
    remedy:
      'Check the network connection; a local model may need longer to load. Then send the message again.',
  },
  {
    code: 'gateway.cut',
    names:
      /ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|ERR_CONNECTION_(RESET|CLOSED|ABORTED)|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|HPE_|ERR_STREAM_PREMATURE_CLOSE|terminated/,
    passes: true,
    message: host => `The connection to ${host} broke before the answer was complete.`,
    remedy: 'Send the message again; if it keeps breaking, check the network or choose another model.',
  },
];

const unknownFailure: FailureRule = {
  code: 'gateway.unreachable',
  names: /^$/,
  passes: true,
  message: host => `${host} could not be reached.`,
  remedy: 'Check the network connection and, if you set one, the base URL.',
};

/** Codes, names and messages of an error, its causes and, for several addresses tried, each attempt. */
function failureNames(error: unknown, depth = 0): string[] {
  if (depth > 5 || !(error instanceof Error)) return [];
  const names: string[] = [];
  if ('code' in error && typeof error.code === 'string') names.push(error.code);
  names.push(error.name, error.message);
  if (error instanceof AggregateError)
    for (const one of error.errors) names.push(...failureNames(one, depth + 1));
  return [...names, ...failureNames(error.cause, depth + 1)];
}
