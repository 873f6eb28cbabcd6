/** What the panel's document is made of. URIs are those that VS Code gave for this webview. */
export interface DocumentParts {
  /** Fresh for every document, at least 128 random bits in base64url. */
  readonly nonce: string;
  /** `webview.cspSource`. */
  readonly cspSource: string;
  readonly scriptUri: string;
  readonly styleUri: string;
  readonly title: string;
}

/** The whole HTML document of the panel. Pure. Nothing in it is remote, inline, or allowed to become so. */
export function panelDocument({ nonce, cspSource, scriptUri, styleUri, title }: DocumentParts): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(contentSecurityPolicy(nonce, cspSource))}">
<meta property="csp-nonce" content="${attribute(nonce)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${attribute(title)}</title>
<link rel="stylesheet" href="${attribute(styleUri)}">
</head>
<body>
<div id="root"></div>
<script nonce="${attribute(nonce)}" src="${attribute(scriptUri)}"></script>
</body>
</html>
`;
}

/**
 * No network (`connect-src`), frames, images, workers or plug-ins at all: `default-src 'none'` covers what is not
 * named. The nonce among the styles is for one probe element of the control library, which reads it from the
 * `csp-nonce` tag. The two Trusted Types policies are DOMPurify's and the control library's own templates.
 */
export function contentSecurityPolicy(nonce: string, cspSource: string): string {
  return [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `font-src ${cspSource}`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types dompurify fast-html`,
  ].join('; ');
}

function attribute(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`);
}
