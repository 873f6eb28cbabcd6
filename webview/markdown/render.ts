import DOMPurify, { type Config } from 'dompurify';
import MarkdownIt, { type Env, type RendererRule, type Token } from 'markdown-it';
import remend from 'remend';
import { linkedFile, mentionedFile, type FileReference } from './fileReference.ts';
import { highlight } from './highlight.ts';

/** While a code block still grows it is coloured only up to this length, in UTF-16 units; it is drawn again and again. */
const longestLive = 6_000;

/**
 * One Markdown block of a model's as HTML that Trusted Types let into the page. Untrusted input: raw HTML is shown as
 * text, images become links, and only an allowlist of elements, attributes and schemes gets through.
 * `live` is for a block that is not finished: what is open in it is closed for display.
 */
export function renderBlock(source: string, live: boolean) {
  const whole = live ? remend(source, { linkMode: 'text-only', katex: false }) : source;
  return DOMPurify.sanitize(markdown.render(whole, { live }), allowlist);
}

const elements =
  'p br hr em strong s code pre a ul ol li blockquote h3 h4 h5 h6 table thead tbody tr th td span div button #text';
const inertAttributes = 'title class start type tabindex role aria-label data-file data-line data-copy'.split(
  ' ',
);

const allowlist: Config & { RETURN_TRUSTED_TYPE: true } = {
  ALLOWED_TAGS: elements.split(' '),
  ALLOWED_ATTR: ['href', ...inertAttributes],
  // Whatever is not named here must look like an allowed address: that leaves href alone.
  ADD_URI_SAFE_ATTR: inertAttributes,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#$)/i,
  ALLOW_DATA_ATTR: false,
  RETURN_TRUSTED_TYPE: true,
};

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: false });
// Without a scheme it is no link: `README.md` is a file, not a site.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
const { escapeHtml, unescapeAll } = markdown.utils;

/** What the rules below remember while one block is rendered. */
interface Environment extends Env {
  live?: boolean;
  /** Links that are open where the renderer stands. */
  links?: number;
}

Object.assign(markdown.renderer.rules, {
  fence: (tokens, index, _options, env: Environment = {}) => {
    const token = tokens[index];
    if (token === undefined) return '';
    const language = unescapeAll(token.info).trim().split(/\s+/)[0] ?? '';
    const colour = env.live !== true || token.content.length <= longestLive;
    return codeBlock(token.content, language, colour);
  },

  code_block: (tokens, index) => codeBlock(tokens[index]?.content ?? '', '', false),

  code_inline: (tokens, index, _options, env: Environment = {}) => {
    const text = tokens[index]?.content ?? '';
    const code = `<code>${escapeHtml(text)}</code>`;
    // Code inside a link stays part of that link.
    const reference = (env.links ?? 0) > 0 ? null : mentionedFile(text);
    return reference === null ? code : `<a ${fileAttributes(reference)}>${code}</a>`;
  },

  link_open: (tokens, index, _options, env: Environment = {}) => {
    env.links = (env.links ?? 0) + 1;
    const target = attributeOf(tokens[index], 'href');
    const reference = linkedFile(safeDecode(target));
    // The title says where a link leads, whatever its text pretends.
    return reference === null ? `<a ${addressAttributes(target)}>` : `<a ${fileAttributes(reference)}>`;
  },

  link_close: (_tokens, _index, _options, env: Environment = {}) => {
    env.links = (env.links ?? 1) - 1;
    return '</a>';
  },

  // Nothing remote is loaded; a picture is a link to it.
  image: (tokens, index) => {
    const name = tokens[index]?.content ?? '';
    return `<a ${addressAttributes(attributeOf(tokens[index], 'src'))}>[${escapeHtml(name === '' ? 'image' : name)}]</a>`;
  },

  heading_open: (tokens, index) => `<${headingTag(tokens[index])}>`,
  heading_close: (tokens, index) => `</${headingTag(tokens[index])}>\n`,

  table_open: () => '<div class="table" role="group" aria-label="Table" tabindex="0"><table>\n',
  table_close: () => '</table></div>\n',
  th_open: (tokens, index) => `<th${alignment(tokens[index])}>`,
  td_open: (tokens, index) => `<td${alignment(tokens[index])}>`,
} satisfies Record<string, RendererRule>);

// The panel has headings of its own; a message's begin below them.
function headingTag(token: Token | undefined): string {
  return `h${Math.min(6, Number(token?.tag.slice(1) ?? 1) + 2)}`;
}

// It comes as a style attribute, which the content security policy forbids.
function alignment(token: Token | undefined): string {
  const align = /(center|right)/.exec(attributeOf(token, 'style'))?.[1];
  return align === undefined ? '' : ` class="align-${align}"`;
}

function attributeOf(token: Token | undefined, name: string): string {
  return String(token?.attrGet(name) ?? '');
}

function addressAttributes(address: string): string {
  return `href="${escapeHtml(address)}" title="${escapeHtml(address)}"`;
}

function codeBlock(code: string, language: string, colour: boolean): string {
  const coloured = colour ? highlight(code, language) : null;
  const name = escapeHtml(language === '' ? 'text' : language);
  return (
    `<div class="code-block"><div class="code-head"><span class="code-language">${name}</span>` +
    `<button type="button" class="code-copy" data-copy="code" aria-label="Copy code" title="Copy code">` +
    `<span class="codicon codicon-copy"></span></button></div>` +
    `<pre tabindex="0" role="group" aria-label="Code, ${name}"><code>${coloured ?? escapeHtml(code)}</code></pre></div>\n`
  );
}

function fileAttributes({ path, line }: FileReference): string {
  const where = escapeHtml(path);
  const label = line === undefined ? where : `${where}, line ${line}`;
  return `href="#" class="file" title="Open ${label}" data-file="${where}"${line === undefined ? '' : ` data-line="${line}"`}`;
}

function safeDecode(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    return target;
  }
}
