import { asking } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { SimpleCommand } from '../shell/line.ts';

/** What commands do that are on no list of reading tools: for the risk, the words on the card, and "contained" mode. */
interface Kind {
  readonly code: string;
  readonly names: ReadonlySet<string>;
  /** Ends the sentence "`name` …". */
  readonly does: string;
  readonly risk: number;
  /** False when it is of no use, or of another kind, inside the sandbox. */
  readonly stays: boolean;
}

const kinds: readonly Kind[] = [
  kind(
    'privilege.tool',
    'acts as another user',
    75,
    false,
    'sudo doas su pkexec runuser run0 setpriv newgrp sg passwd chpasswd useradd usermod userdel groupadd visudo login chroot nsenter setcap',
  ),
  kind(
    'network.tool',
    'reaches the network',
    50,
    false,
    'curl wget ssh scp sftp rsync ftp lftp nc ncat netcat socat telnet dig nslookup host ping traceroute whois gh glab aws gcloud az doctl heroku flyctl vercel netlify kubectl helm mosh aria2c http https xh',
  ),
  kind(
    'container.tool',
    'controls containers, which run outside the sandbox',
    60,
    false,
    'docker podman docker-compose nerdctl lxc lxd incus vagrant virsh qemu-system-x86_64',
  ),
  kind(
    'system.tool',
    'changes the system or what it runs',
    65,
    false,
    'systemctl service launchctl crontab at batch mount umount modprobe insmod rmmod sysctl iptables nft ufw apt apt-get dpkg dnf yum pacman zypper apk snap flatpak brew kill killall pkill swapoff swapon',
  ),
  kind(
    'file.destroys',
    'deletes or overwrites files',
    55,
    true,
    'rm rmdir unlink shred truncate dd srm wipe',
  ),
  kind(
    'file.writes',
    'writes or changes files',
    40,
    true,
    'cp mv ln touch mkdir tee install chmod chown chgrp setfacl patch split csplit mktemp mkfifo zip gzip gunzip bzip2 xz 7z rename',
  ),
  kind(
    'code.runs',
    'runs whatever code it is given',
    50,
    true,
    'sh bash dash zsh ksh fish python python2 python3 node deno bun ruby perl php lua Rscript R osascript pwsh eval source . exec xargs parallel npx bunx uvx make cmake ninja',
  ),
];

/** The finding for a command that no table knows. */
export function unlisted(name: string, command: SimpleCommand): Finding {
  const plain = name.slice(name.lastIndexOf('/') + 1);
  const span = command.words[0]?.span ?? command.span;
  const known = kinds.find(({ names }) => names.has(plain));
  if (known)
    return asking(known.code, `\`${name}\` ${known.does}.`, span, {
      word: 0,
      risk: known.risk,
      stays: known.stays,
    });
  if (name.includes('/'))
    return asking(
      'tool.byPath',
      `\`${name}\` is a program named by its path; what it does is not known.`,
      span,
      { word: 0, risk: 40 },
    );
  return asking('tool.unknown', `\`${name}\` is not on the list of commands that only read.`, span, {
    word: 0,
  });
}

function kind(code: string, does: string, risk: number, stays: boolean, names: string): Kind {
  return { code, does, risk, stays, names: new Set(names.split(' ')) };
}
