import { memo } from 'preact/compat';
import { useMemo, useRef } from 'preact/hooks';
import { openFile, useHost, type Host } from '../host.ts';
import { BlockSplitter } from './blocks.ts';
import { renderBlock } from './render.ts';

/** Markdown as it streams: blocks that can no longer change are drawn once. */
export function Markdown({ text, live }: { text: string; live: boolean }) {
  const host = useHost();
  const splitter = useRef<BlockSplitter>(null);
  splitter.current ??= new BlockSplitter();
  const blocks = splitter.current.blocks(text);
  return (
    <div class="markdown" onClick={event => follow(event, host)}>
      {blocks.map((source, index) => (
        <Block key={index} source={source} live={live && index === blocks.length - 1} />
      ))}
    </div>
  );
}

const Block = memo(function Block({ source, live }: { source: string; live: boolean }) {
  const html = useMemo(() => renderBlock(source, live), [source, live]);
  // Preact hands the TrustedHTML through as it is; its types only know strings.
  return <div class="block" dangerouslySetInnerHTML={{ __html: html as unknown as string }} />;
});

// VS Code opens links that it sees clicked, too; stopping here leaves each to the host alone.
function follow(event: MouseEvent, host: Host): void {
  if (!(event.target instanceof Element)) return;
  const copy = event.target.closest<HTMLElement>('[data-copy]');
  if (copy !== null) return copyCode(copy);
  const link = event.target.closest<HTMLElement>('a[href]');
  if (link === null) return;
  event.preventDefault();
  event.stopPropagation();
  const file = link.dataset['file'];
  const url = link.getAttribute('href') ?? '';
  if (file !== undefined)
    openFile(host, file, link.dataset['line'] === undefined ? undefined : Number(link.dataset['line']));
  else if (/^(?:https?|mailto):/i.test(url) && url.length <= 4_096) host.post({ type: 'openLink', url });
}

function copyCode(button: HTMLElement): void {
  const code = button.closest('.code-block')?.querySelector('code')?.textContent ?? '';
  const say = (label: string, icon: string) => {
    button.setAttribute('aria-label', label);
    button.title = label;
    const glyph = button.querySelector('.codicon');
    if (glyph !== null) glyph.className = `codicon codicon-${icon}`;
  };
  navigator.clipboard
    .writeText(code)
    .then(
      () => say('Copied', 'check'),
      () => say('Could not copy', 'error'),
    )
    .finally(() => setTimeout(() => say('Copy code', 'copy'), 2_000));
}
