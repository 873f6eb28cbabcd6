import { expect, test } from 'vitest';
import { readLongAnswer } from '../../../src/egress/answer.ts';

const head = (...lines: string[]) => lines.join('\r\n');

test('a plain long answer is read with its headers as they came', () => {
  expect(
    readLongAnswer(
      head('HTTP/1.1 200 OK', 'Content-Type: text/plain', 'content-length:  200000 ', 'X-Empty:'),
    ),
  ).toEqual({
    status: 200,
    reason: 'OK',
    rawHeaders: ['Content-Type', 'text/plain', 'content-length', '200000', 'X-Empty', ''],
    length: 200_000,
  });
});

test.each([
  ['short content', 'HTTP/1.1 200 OK', 'Content-Length: 1000'],
  ['no length', 'HTTP/1.1 200 OK', 'Content-Type: text/plain'],
  ['chunks', 'HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'],
  ['a length and chunks', 'HTTP/1.1 200 OK', 'Content-Length: 200000', 'Transfer-Encoding: chunked'],
  ['two lengths', 'HTTP/1.1 200 OK', 'Content-Length: 200000', 'Content-Length: 200001'],
  ['the same length twice', 'HTTP/1.1 200 OK', 'Content-Length: 200000', 'Content-Length: 200000'],
  ['a list of lengths', 'HTTP/1.1 200 OK', 'Content-Length: 200000, 200000'],
  ['a length with a sign', 'HTTP/1.1 200 OK', 'Content-Length: +200000'],
  ['a length in hexadecimal', 'HTTP/1.1 200 OK', 'Content-Length: 0x30d40'],
  ['a length beyond all counting', 'HTTP/1.1 200 OK', 'Content-Length: 9999999999999999999'],
  ['a blank before the colon', 'HTTP/1.1 200 OK', 'Content-Length : 200000'],
  ['a folded line', 'HTTP/1.1 200 OK', 'X: a', ' b', 'Content-Length: 200000'],
  ['a bare line feed', 'HTTP/1.1 200 OK', 'X: a\nY: b', 'Content-Length: 200000'],
  ['a bare carriage return', 'HTTP/1.1 200 OK', 'X: a\rY: b', 'Content-Length: 200000'],
  ['a null character', 'HTTP/1.1 200 OK', 'X: a\0', 'Content-Length: 200000'],
  ['a line without a name', 'HTTP/1.1 200 OK', ': x', 'Content-Length: 200000'],
  ['what is only preliminary', 'HTTP/1.1 100 Continue', 'Content-Length: 200000'],
  ['a change of protocol', 'HTTP/1.1 101 Switching Protocols', 'Content-Length: 200000'],
  ['an answer without content', 'HTTP/1.1 204 No Content', 'Content-Length: 200000'],
  ['an answer that has not changed', 'HTTP/1.1 304 Not Modified', 'Content-Length: 200000'],
  ['an offer of another protocol', 'HTTP/1.1 200 OK', 'Upgrade: h2c', 'Content-Length: 200000'],
  ['an unknown version', 'HTTP/2.0 200 OK', 'Content-Length: 200000'],
  ['no version', 'ICY 200 OK', 'Content-Length: 200000'],
  ['nothing', ''],
])('%s is left to the strict reader', (_, ...lines) => {
  expect(readLongAnswer(head(...lines))).toBeUndefined();
});
