/** An amount of bytes in words: "12 bytes", "3.4 MB". */
export function sizeWords(bytes: number | undefined): string {
  if (bytes === undefined) return 'an unknown amount';
  const units = ['bytes', 'KB', 'MB', 'GB'];
  const power = bytes < 1_000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1_000 ** power).toFixed(1)} ${units[power]}`;
}
