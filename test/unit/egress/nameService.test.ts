import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NameService } from '../../../src/egress/nameService.ts';

/** A query as resolvers send it: id 0x1234, recursion desired. */
function query(name: string, type = 1, more = Buffer.alloc(0)): Buffer {
  const labels = name.split('.').flatMap(label => [label.length, ...Buffer.from(label, 'latin1')]);
  const header = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return Buffer.concat([Buffer.from([...header, ...labels, 0, 0, type, 0, 1]), more]);
}

const service = () => new NameService(name => name.endsWith('example.com'));
const rcode = (answer?: Buffer) => (answer?.readUInt16BE(2) ?? 0) & 15;

describe('a name that may be reached', () => {
  test('has one loopback address of its own, whatever its spelling, and is known by it', () => {
    const names = service();
    const first = names.answer(query('Docs.Example.com'));
    const again = names.answer(query('docs.example.com', 1, Buffer.from([0, 0, 41])));
    const other = names.answer(query('other.example.com'));
    expect(first).toEqual(
      Buffer.concat([
        Buffer.from([0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]),
        query('Docs.Example.com').subarray(12),
        Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 64, 0, 1]),
      ]),
    );
    expect(again?.subarray(-4)).toEqual(Buffer.from([127, 64, 0, 1]));
    expect(other?.subarray(-4)).toEqual(Buffer.from([127, 64, 0, 2]));
    expect([
      names.nameOf('127.64.0.1'),
      names.nameOf('::ffff:127.64.0.2'),
      names.nameOf('127.0.0.1'),
    ]).toEqual(['docs.example.com', 'other.example.com', undefined]);
  });

  test('has no address of another type', () => {
    const answer = service().answer(query('docs.example.com', 28));
    expect([rcode(answer), answer?.readUInt16BE(6)]).toEqual([0, 0]);
  });

  test('is one of at most ten thousand', () => {
    const names = service();
    const answers = Array.from({ length: 10_001 }, (_, at) => names.answer(query(`n${at}.example.com`)));
    expect(answers.map(rcode).indexOf(3)).toBe(10_000);
    expect(answers[9_999]?.subarray(-4)).toEqual(Buffer.from([127, 64, 39, 16]));
  });
});

test.each(['com', 'evil.com', 'localhost', '127.0.0.1', '*.example.com', 'a@b.example.com'])(
  '%s does not exist',
  name => {
    expect(rcode(service().answer(query(name)))).toBe(3);
  },
);

test('what is no query gets no answer', () => {
  const good = query('docs.example.com');
  const broken = [
    Buffer.alloc(0),
    good.subarray(0, 20),
    // An answer, another operation, two questions, a pointer, a dot in a label, another class.
    ...[
      [2, 0x81],
      [2, 0x11],
      [5, 2],
      [12, 0xc0],
      [14, 0x2e],
      [good.length - 1, 3],
    ].map(([at = 0, byte = 0]) => {
      const copy = Buffer.from(good);
      copy[at] = byte;
      return copy;
    }),
  ];
  expect(broken.map(each => service().answer(each))).toEqual(broken.map(() => undefined));
});

test('any bytes at all are survived', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, hasHeader) => {
      const header = hasHeader ? query('x').subarray(0, 12) : Buffer.alloc(0);
      const answer = service().answer(Buffer.concat([header, bytes]));
      expect(answer?.length ?? 0).toBeLessThan(600);
    }),
    { numRuns: 3_000 },
  );
});
