import { denying } from '../finding.ts';
import type { Finding, Span } from '../finding.ts';

const disks =
  /^\/dev\/(?:sd[a-z]+\d*|hd[a-z]\d*|vd[a-z]+\d*|xvd[a-z]+\d*|nvme\d+(?:n\d+)?(?:p\d+)?|mmcblk\d+(?:p\d+|boot\d)?|r?disk\d+(?:s\d+)*|md\d+|md\/.+|dm-\d+|mapper\/.+|loop\d+(?:p\d+)?|sr\d+|nbd\d+|ram\d+|zd\d+|bcache\d+|disk\/by-.+|block\/.+|mem|kmem|port|mtd\w*|nvram)$/;

/** Says no when a path names a disk, the memory, or a switch of the kernel that stops the machine. */
export function blockDeviceIn(path: string, span: Span): Finding | undefined {
  const plain = normal(path);
  if (
    disks.test(plain) ||
    /^\/dev\/(?:[shv]|xv)d[a-z?*[]|^\/dev\/(?:nvme|mmcblk|disk|mapper)[^ ]*[*?[]/.test(plain)
  )
    return denying(
      'denied.blockDevice',
      `This writes to a device that holds a whole disk or memory: ${path}`,
      span,
    );
  if (/^\/proc\/sysrq-trigger$|^\/sys\/power\/(?:state|disk)$/.test(plain))
    return denying('denied.shutdown', `This would stop the machine: ${path}`, span);
  return undefined;
}

function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return path.startsWith('/') ? `/${parts.join('/')}` : parts.join('/');
}
