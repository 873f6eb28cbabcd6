import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asData } from '../../../sandbox/agent/asData.ts';
import { cutMiddle } from '../../../sandbox/agent/cutMiddle.ts';
import { foldPaths } from '../../../sandbox/agent/foldPaths.ts';
import { fromLegibleText, legibleText } from '../../../sandbox/agent/legibleText.ts';
import { dataIn } from './toolContext.ts';

const anyText = fc.string({ unit: 'binary' });

describe('legible text', () => {
  test('holds no character that cannot be seen, but for whole emoji', () => {
    fc.assert(
      fc.property(anyText, text => {
        const rest = legibleText(text).replace(/\p{RGI_Emoji}/gv, '');
        expect(rest).not.toMatch(/[[\p{Cc}\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}]--[\t\n]]/v);
      }),
      { numRuns: 2_000 },
    );
  });

  test('can be turned back, so that a marked line can be edited', () => {
    const text = 'a\u200bb\u{e0041}c\rd';
    expect(fromLegibleText(legibleText(text))).toBe(text);
  });

  test('keeps ordinary text of any language as it is', () => {
    for (const text of ['naïve café', '日本語', 'שלום', 'привет', '👩‍👩‍👧‍👦 ❤️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'tab\tand\nline'])
      expect(legibleText(text)).toBe(text);
  });

  test('takes out what terminals would obey', () => {
    expect(legibleText('\u001b[1;31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007')).toBe(
      'red link',
    );
  });
});

test('text within the bound is not cut', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 50 }), text => {
      expect(cutMiddle(text, 50)).toBe(text);
    }),
  );
});

test('cutting keeps the beginning and the end, within the bound, and never splits a character', () => {
  const long = fc.string({ unit: 'grapheme', minLength: 101, maxLength: 400 });
  fc.assert(
    fc.property(long, fc.integer({ min: 10, max: 100 }), (text, max) => {
      const cut = cutMiddle(text, max);
      const [head = '?', tail = '?'] = cut.split(/\n\[… [\d,]+ characters left out here …\]\n/);
      expect([text.startsWith(head), text.endsWith(tail)]).toEqual([true, true]);
      expect(head.length + tail.length).toBeLessThanOrEqual(max);
      expect(cut.isWellFormed()).toBe(text.isWellFormed());
    }),
  );
});

test('quoted text comes out as it went in, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (source, text) => {
      const quoted = asData(source, text);
      expect(quoted.split('\n', 1)[0]).toMatch(/^<data id="[0-9a-f]{8}" source="[^"]*">$/);
      expect(dataIn(quoted)).toBe(legibleText(text).replace(/\n$/, ''));
    }),
  );
});

test('folded paths account for every file', () => {
  const part = fc.constantFrom('a', 'b', 'c', 'd');
  const paths = fc.uniqueArray(
    fc.array(part, { minLength: 1, maxLength: 5 }).map(parts => `${parts.join('/')}.txt`),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(paths, fc.integer({ min: 5, max: 60 }), (all, max) => {
      const lines = foldPaths(all, max);
      if (lines.at(-1)?.startsWith('… and')) return;
      const count = lines.reduce((sum, line) => sum + Number(/\((\d+) files\)$/.exec(line)?.[1] ?? 1), 0);
      expect(count).toBe(all.length);
      expect(lines.length).toBeLessThanOrEqual(Math.max(max, 1));
    }),
  );
});
