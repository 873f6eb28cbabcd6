/**
 * Text with everything invisible made visible: control characters (but newline and tab), zero-width, bidirectional, tag
 * and private-use characters become `⟨U+202E⟩`. For whatever a person is asked to judge.
 */
export function visibleText(text: string): string {
  return text.replace(invisible, hidden =>
    hidden === '\n' || hidden === '\t' ? hidden : `⟨U+${codePoint(hidden)}⟩`,
  );
}

const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Co}\p{Cc}\u2028\u2029]/gu;

function codePoint(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
