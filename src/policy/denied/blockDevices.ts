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
  if (/^\/dev\/watchdog\d*$|^\/proc\/sysrq-trigger$|^\/sys\/power\/(?:state|disk)$/.test(plain))
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

const names = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Write to their last operand. */
const copiers = names('cp mv install ln rsync scp pv bmaptool qemu-img partclone ddrescue');
/** Write to any operand that is a device. */
const writers = names(
  `tee sponge truncate shred blkdiscard cfdisk gdisk sgdisk partx mkpart sg_format pvcreate pvremove wipe scrub nwipe
  resize2fs rm dd_rescue flashcp flash_erase asr fallocate swapon mkswap mkdosfs mkreiserfs`,
);
/** Also only look, unless one of these words is among theirs. */
const inspectors: readonly (readonly [tools: ReadonlySet<string>, writing: RegExp])[] = [
  [names('fdisk sfdisk parted'), /^(?!-(?:l|d|J)$|--(?:list|dump|json)$|print$|-s$|\/dev\/).*$/],
  [
    names('hdparm tune2fs nvme e2fsck fsck losetup debugfs mdadm badblocks cryptsetup dmsetup wipefs'),
    /^(?:-n?w\w*|--security-\w+|format|sanitize|--zero-superblock|--create|luksFormat|erase|remove(?:_all)?|wipe|-a|-af|-fa|--all|-o|create|labelclear|-f|--force|-y|-fy)$/,
  ],
];
/** Destroy what they are told to, under names of their own. */
const volumes: readonly (readonly [tools: ReadonlySet<string>, words: RegExp])[] = [
  [names('lvremove vgremove'), /./],
  [names('zfs zpool'), /^destroy$/],
  [names('diskutil'), /^(?:erase|partition|zero|secureErase|reformat|apfs)/i],
];

/** Commands that write to a disk: copying onto it, making a file system or partitions on it, wiping it. */
export const blockDeviceCommand: DenyCheck = (words, { command }) => {
  const [name = '', ...rest] = words;
  const tool = baseName(name);
  const { span } = command;
  const operands = rest.filter(word => !word.startsWith('-'));
  const first = (candidates: readonly string[]) =>
    candidates.map(word => blockDeviceIn(word, span)).find(finding => finding !== undefined);
  if (
    /^(?:mkfs(?:\..+)?|mke2fs|mkntfs|newfs(?:_\w+)?)$/.test(tool) &&
    operands.some(word => word.startsWith('/dev/'))
  )
    return denying(
      'denied.blockDevice',
      'This makes a file system on a device, and what is on it is lost.',
      span,
    );
  if (volumes.some(([tools, pattern]) => tools.has(tool) && rest.some(word => pattern.test(word))))
    return denying('denied.blockDevice', 'This destroys a disk or a volume and what is on it.', span);
  if (copiers.has(tool)) {
    const into = rest.flatMap(word => /^(?:-t|--target-directory=)(.+)/.exec(word)?.[1] ?? []);
    return first([...operands.slice(-1), ...into]);
  }
  if (writers.has(tool)) return first(operands);
  for (const [tools, writing] of inspectors) {
    // Without any other word it waits for commands on its input.
    if (
      tools.has(tool) &&
      (rest.some(word => writing.test(word)) ||
        (tool !== 'wipefs' && rest.length === 1 && tool.endsWith('fdisk')))
    )
      return first(operands);
  }
  return first(outputs(rest));
};

/** Files that a command is told to write: `of=X`, `-o X`, `--output=X`. */
function outputs(rest: readonly string[]): string[] {
  return rest.flatMap((word, index) =>
    /^(?:-o|-O|-out|--output|--output-document|--out|-of)$/.test(word)
      ? [rest[index + 1] ?? '']
      : (/^(?:--output(?:-document)?=|-o(?=\/)|-O(?=\/)|of=)(.+)/.exec(word)?.[1] ?? []),
  );
}
