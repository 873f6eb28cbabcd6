import { bracketed } from './hostName.ts';
import { grantFor } from './grant.ts';

/** Why a connection was not made, or was cut. Shown to the program, to the user and in the log. */
export interface Refusal {
  readonly code:
    | 'egress.notAllowed'
    | 'egress.privateAddress'
    | 'egress.metadata'
    | 'egress.mismatch'
    | 'egress.notReadable'
    | 'egress.uploadLimit'
    | 'egress.unknownHost'
    | 'egress.unreachable'
    | 'egress.badRequest';
  readonly message: string;
  /** What to allow so that it would go through, as `parseDomain` reads it; absent where nothing would. */
  readonly grant?: string;
}

// Every sentence that a refusal may have, together.

export const refusals = {
  notAllowed: (host: string, port: number): Refusal => ({
    code: 'egress.notAllowed',
    message: `${place(host, port)} is not allowed, so nothing was sent to it.`,
    grant: grantFor(host, port),
  }),

  privateAddress: (host: string, address: string, port: number): Refusal => ({
    code: 'egress.privateAddress',
    message:
      host === address
        ? `${place(host, port)} is an address of this machine or of a private network, so nothing was sent to it.`
        : `${host} leads to ${address}, an address of this machine or of a private network, so nothing was sent to it.`,
    grant: grantFor(address, port),
  }),

  metadata: (host: string): Refusal => ({
    code: 'egress.metadata',
    message: `${host} leads to the machine's metadata service, which hands out credentials; it is never reached.`,
  }),

  mismatch: (host: string, what: string, found: string | undefined): Refusal => ({
    code: 'egress.mismatch',
    message:
      found === undefined
        ? `A connection to ${host} did not name its host in its ${what}, so it was cut.`
        : `A connection to ${host} named another host (${JSON.stringify(found.slice(0, 100))}) in its ${what}, so it was cut.`,
  }),

  notReadable: (host: string, port: number): Refusal => ({
    code: 'egress.notReadable',
    message: `What was sent to ${place(host, port)} is neither TLS nor HTTP, so it was cut.`,
  }),

  uploadLimit: (host: string, limit: number): Refusal => ({
    code: 'egress.uploadLimit',
    message: `More than ${limit} bytes were to be sent to ${host}, which is the limit for one host, so the connection was cut.`,
  }),

  unknownHost: (host: string): Refusal => ({
    code: 'egress.unknownHost',
    message: `The name ${host} could not be resolved.`,
  }),

  unreachable: (host: string, port: number, why: string): Refusal => ({
    code: 'egress.unreachable',
    message: `${place(host, port)} could not be reached: ${why}.`,
  }),

  badRequest: (why: string): Refusal => ({
    code: 'egress.badRequest',
    message: `Cordon's egress proxy did not understand the request: ${why}.`,
  }),
};

/** The HTTP status for it. */
export function statusOf({ code }: Refusal): 400 | 403 | 413 | 502 {
  switch (code) {
    case 'egress.badRequest':
      return 400;
    case 'egress.uploadLimit':
      return 413;
    case 'egress.unknownHost':
    case 'egress.unreachable':
      return 502;
    default:
      return 403;
  }
}

/** What the program is told, as text. */
export function wordsOf({ message, grant }: Refusal): string {
  return `Cordon: ${message}${grant === undefined ? '' : ` The grant that would let it through: ${grant}`}\n`;
}

function place(host: string, port: number): string {
  return `${bracketed(host)}:${port}`;
}
