import { normaliseHost } from './hostName.ts';

/**
 * Names for programs that know nothing of a proxy: every name that may be reached gets a loopback address of its own
 * (127.64.0.0/10), and a connection to that address tells which name was meant. Nothing is looked up outside; what
 * may not be reached does not exist.
 */
export class NameService {
  readonly #addresses = new Map<string, string>();
  readonly #names = new Map<string, string>();

  /** `mayExist` is told normalised names. */
  constructor(private readonly mayExist: (name: string) => boolean) {}

  /** The name that was given this address. */
  nameOf(address: string | undefined): string | undefined {
    return address === undefined ? undefined : this.#names.get(address.replace(/^::ffff:/, ''));
  }

  /** Answers one DNS query (RFC 1035 §4); undefined for what is none. Never throws. */
  answer(query: Buffer): Buffer | undefined {
    const question = readQuestion(query);
    if (question === undefined) return undefined;
    const host = normaliseHost(question.name);
    const exists = host?.kind === 'name' && host.text.includes('.') && this.mayExist(host.text);
    const address = exists ? this.#addressOf(host.text) : undefined;
    const isAnswered = address !== undefined && question.type === typeA;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // A response, recursion as asked for and available; "no such name" (3) or none of this type (0).
    header.writeUInt16BE(0x8080 | (query.readUInt16BE(2) & 0x0100) | (address === undefined ? 3 : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(isAnswered ? 1 : 0, 6);
    const answer = isAnswered
      ? // The name of the question; type A, class IN; 60 seconds; four bytes.
        Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)])
      : Buffer.alloc(0);
    return Buffer.concat([header, question.bytes, answer]);
  }

  #addressOf(name: string): string | undefined {
    const known = this.#addresses.get(name);
    if (known !== undefined) return known;
    const index = this.#addresses.size + 1;
    if (index > mostNames) return undefined;
    const address = `127.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
    this.#addresses.set(name, address);
    this.#names.set(address, name);
    return address;
  }
}

const typeA = 1;

/** A program that asks for endless names gets no more. */
const mostNames = 10_000;

/** The only question of a plain query of class IN. What follows it (EDNS) does not matter. */
function readQuestion(query: Buffer): { name: string; type: number; bytes: Buffer } | undefined {
  if (query.length < 17 || (query.readUInt16BE(2) & 0xf800) !== 0 || query.readUInt16BE(4) !== 1)
    return undefined;
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    if (at + length > query.length || at - 12 > 254) return undefined;
    const label = query.toString('latin1', at, at + length);
    // A dot inside a label would make another name of it.
    if (!/^[\x21-\x2d\x2f-\x7e]+$/.test(label)) return undefined;
    labels.push(label);
    at += length;
  }
  if (at + 4 > query.length || query.readUInt16BE(at + 2) !== 1) return undefined;
  return { name: labels.join('.'), type: query.readUInt16BE(at), bytes: query.subarray(12, at + 4) };
}
