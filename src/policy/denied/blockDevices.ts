import { denying } from '../finding.ts';
import type { Finding, Span } from '../finding.ts';
import { baseName } from './baseName.ts';
import type { DenyCheck } from './denied.ts';

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

/** Commands that write to a disk: copying onto it, making a file system or partitions on it, wiping it. */
export const blockDeviceCommand: DenyCheck = (words, { command }) => {
  const [name = '', ...rest] = words;
  const tool = baseName(name);
  const { span } = command;
  const device = (word: string | undefined) =>
    word === undefined ? undefined : blockDeviceIn(word.replace(/^~/, '/'), span);
  const first = (candidates: readonly string[]) =>
    candidates.map(device).find(finding => finding !== undefined);
  const operands = rest.filter(word => !word.startsWith('-'));
  if (/^(?:mkfs|mke2fs|mkswap|mkdosfs|mkntfs|mkreiserfs)(?:\..+)?$|^newfs(?:_\w+)?$|^format$/.test(tool))
    return /^mkfs|^mke2fs|^mkntfs|^newfs/.test(tool) && operands.some(word => word.startsWith('/dev/'))
      ? denying(
          'denied.blockDevice',
          'This makes a file system on a device, and what is on it is lost.',
          span,
        )
      : first(operands);
  switch (tool) {
    case 'dd':
    case 'dcfldd':
    case 'dc3dd':
      return first(rest.flatMap(word => (word.startsWith('of=') ? [word.slice(3)] : [])));
    case 'cp':
    case 'mv':
    case 'install':
    case 'ln':
    case 'rsync':
    case 'scp':
    case 'pv':
    case 'bmaptool':
    case 'qemu-img':
    case 'partclone':
    case 'ddrescue':
      return (
        device(operands.at(-1)) ??
        first(rest.flatMap(word => /^(?:-t|--target-directory=)(.+)/.exec(word)?.[1] ?? []))
      );
    case 'tee':
    case 'sponge':
    case 'truncate':
    case 'shred':
    case 'wipefs':
    case 'blkdiscard':
    case 'fdisk':
    case 'sfdisk':
    case 'cfdisk':
    case 'gdisk':
    case 'sgdisk':
    case 'parted':
    case 'partx':
    case 'mkpart':
    case 'badblocks':
    case 'hdparm':
    case 'sg_format':
    case 'cryptsetup':
    case 'pvcreate':
    case 'pvremove':
    case 'vgremove':
    case 'lvremove':
    case 'wipe':
    case 'scrub':
    case 'nwipe':
    case 'zpool':
    case 'mdadm':
    case 'debugfs':
    case 'e2fsck':
    case 'fsck':
    case 'tune2fs':
    case 'resize2fs':
    case 'dmsetup':
    case 'losetup':
    case 'rm':
    case 'nvme':
    case 'dd_rescue':
    case 'flashcp':
    case 'flash_erase':
    case 'asr':
    case 'fallocate':
    case 'swapon':
      if (
        /^(?:fdisk|sfdisk|parted)$/.test(tool) &&
        rest.some(word => /^-(?:l|d|J|s)$|^--(?:list|dump|json)$|^print$/.test(word)) &&
        !rest.some(word => /^(?:mk|rm|resize|-w|--delete)/.test(word))
      )
        return undefined;
      if (
        /^(?:hdparm|tune2fs|nvme|e2fsck|fsck|losetup|debugfs|mdadm|badblocks|cryptsetup|zpool|dmsetup|wipefs)$/.test(
          tool,
        ) &&
        !rest.some(word =>
          /^(?:-w|-n?w\w*|--security-\w+|format|sanitize|--zero-superblock|--create|luksFormat|erase|remove(?:_all)?|wipe|-a|-af|-fa|--all|-o|destroy|create|labelclear|-f|--force|-y|-fy|mklabel)$/.test(
            word,
          ),
        )
      )
        return undefined;
      return first(operands);
    case 'diskutil':
      return rest.some(word => /^(?:erase|partition|zero|secureErase|reformat|apfs)/i.test(word))
        ? denying('denied.blockDevice', 'This wipes a disk.', span)
        : undefined;
    default:
      return undefined;
  }
};
