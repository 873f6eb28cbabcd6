import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockSplitter } from '../../../webview/markdown/blocks.ts';

test('headings, paragraphs, lists and fences are blocks, each with its trailing blank lines', () => {
  const text = '# Title\n\nOne\ntwo.\n\n- a\n\n- b\n\n```js\n# no\n\n- heading\n```\nEnd';
  expect(new BlockSplitter().blocks(text)).toEqual([
    '# Title\n\n',
    'One\ntwo.\n\n',
    '- a\n\n- b\n\n',
    '```js\n# no\n\n- heading\n```\n',
    'End',
  ]);
});

test('a block that grows changes no block before it', () => {
  const splitter = new BlockSplitter();
  const first = splitter.blocks('One.\n\n```js\nconst a');
  expect(first).toEqual(['One.\n\n', '```js\nconst a']);
  expect(splitter.blocks('One.\n\n```js\nconst a = 1;\n```\n\nTwo')).toEqual([
    'One.\n\n',
    '```js\nconst a = 1;\n```\n\n',
    'Two',
  ]);
});

test('a text that was replaced, not continued, is cut anew', () => {
  const splitter = new BlockSplitter();
  splitter.blocks('One.\n\nTwo.');
  expect(splitter.blocks('Else.')).toEqual(['Else.']);
  expect(splitter.blocks('')).toEqual([]);
});

const markdownText = fc
  .array(
    fc.constantFrom(
      '\n',
      '\n\n',
      '# a',
      '- b',
      '  c',
      '    d',
      '> e',
      '```',
      '~~~',
      '---',
      '===',
      '1. f',
      '| g |',
      '|---|',
      '[h]: i',
      '\r',
      '\r\n',
      'j ',
      '\t',
      '*',
    ),
    { maxLength: 30 },
  )
  .map(parts => parts.join(''));

test('the blocks are the text, however it comes', () => {
  fc.assert(
    fc.property(markdownText, fc.array(fc.nat(60)), (text, cuts) => {
      const splitter = new BlockSplitter();
      for (const cut of [...cuts].sort((a, b) => a - b)) {
        expect(splitter.blocks(text.slice(0, cut)).join('')).toBe(text.slice(0, cut));
      }
      expect(splitter.blocks(text).join('')).toBe(text);
    }),
  );
});
