import { expect, test } from 'vitest';
import { contentSecurityPolicy, panelDocument } from '../../../src/panel/document.ts';

test('the policy of the panel, whole', () => {
  expect(contentSecurityPolicy('N0nce', 'https://*.vscode-cdn.net')).toBe(
    "default-src 'none'; script-src 'nonce-N0nce'; style-src https://*.vscode-cdn.net 'nonce-N0nce'; " +
      "font-src https://*.vscode-cdn.net; base-uri 'none'; form-action 'none'; " +
      "require-trusted-types-for 'script'; trusted-types dompurify fast-html",
  );
});

test('the document, whole, with nothing that could end an attribute or a title', () => {
  const document = panelDocument({
    nonce: 'N0nce',
    cspSource: 'https://x',
    scriptUri: 'https://x/panel.js?a&b',
    styleUri: 'https://x/"><script>.css',
    title: '</title><script>',
  });
  expect(document).toBe(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy('N0nce', 'https://x')}">
<meta property="csp-nonce" content="N0nce">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>&#60;/title&#62;&#60;script&#62;</title>
<link rel="stylesheet" href="https://x/&#34;&#62;&#60;script&#62;.css">
</head>
<body>
<div id="root"></div>
<script nonce="N0nce" src="https://x/panel.js?a&#38;b"></script>
</body>
</html>
`);
});
