// What macOS itself must show so that programs start, as text of Seatbelt profiles. No path here comes from anywhere
// else. `/System` is not shown whole: below it lies a second way to all of the user's files.

/** Libraries and frameworks that every program loads. */
export const libraries: readonly string[] = [
  '/usr/lib',
  '/usr/share/icu',
  '/usr/share/locale',
  '/usr/share/zoneinfo',
  '/System/Cryptexes',
  '/System/Library',
  '/System/Volumes/Preboot/Cryptexes',
  '/System/iOSSupport',
  '/Library/Apple',
  '/private/var/db/dyld',
];

/** Time zone, names of services, and of users as newer systems keep them. */
export const settings: readonly string[] = [
  '/private/etc/localtime',
  '/private/etc/protocols',
  '/private/etc/services',
  '/private/var/db/DarwinDirectory/local/recordStore.data',
  '/private/var/db/timezone',
];

/** The root, and links on the way to others. */
export const links: readonly string[] = ['/', '/etc', '/private', '/tmp', '/var'].map(
  path => `(literal "${path}")`,
);

/** Folders that a path goes through when the kernel names it: to be looked at, not listed. */
export const passages: readonly string[] = ['/dev', '/System/Volumes', '/System/Volumes/Data'].map(
  path => `(literal "${path}")`,
);

export const devices: readonly string[] = [
  ...['/dev/autofs_nowait', '/dev/null', '/dev/zero', '/dev/random', '/dev/urandom', '/dev/dtracehelper'].map(
    path => `(literal "${path}")`,
  ),
  '(subpath "/dev/fd")',
  ...['/dev/stdin', '/dev/stdout', '/dev/stderr'].map(path => `(literal "${path}")`),
];

/** Programs of the system and of Apple's developer tools. */
export const programs: readonly string[] = [
  '/bin',
  '/sbin',
  '/usr/bin',
  '/usr/libexec',
  '/usr/sbin',
  '/usr/share',
  '/Applications/Xcode.app/Contents',
  '/Library/Developer/CommandLineTools',
  '/Library/Java/JavaVirtualMachines',
];

/** Certificates, and settings of shells and tools. */
export const commandSettings: readonly string[] = [
  '/private/etc/bashrc',
  '/private/etc/hosts',
  '/private/etc/man.conf',
  '/private/etc/manpaths',
  '/private/etc/manpaths.d',
  '/private/etc/passwd',
  '/private/etc/group',
  '/private/etc/paths',
  '/private/etc/paths.d',
  '/private/etc/profile',
  '/private/etc/shells',
  '/private/etc/ssl',
  '/private/etc/zprofile',
  '/private/etc/zshrc',
  '/private/var/db/xcode_select_link',
  '/private/var/select',
];

/** Terminals that a command opens itself. */
export const terminals: readonly string[] = [
  '(literal "/dev/ptmx")',
  '(literal "/dev/tty")',
  '(require-all (regex #"^/dev/ttys[0-9]+$") (extension "com.apple.sandbox.pty"))',
];

/** The caller's, where it is passed through. */
export const callersTerminal = '(regex #"^/dev/ttys[0-9]+$")';

/**
 * Values that tell of the hardware and the system, and the list of network interfaces, without which servers do not
 * start; not those that list other processes.
 */
export const kernelValues: readonly string[] = [
  ...['hw.', 'machdep.cpu.', 'machdep.ptrauth_enabled', 'kern.os', 'net.routetable.'].map(
    name => `(sysctl-name-prefix "${name}")`,
  ),
  ...[
    'kern.argmax',
    'kern.boottime',
    'kern.hostname',
    'kern.maxfiles',
    'kern.maxfilesperproc',
    'kern.maxproc',
    'kern.ngroups',
    'kern.secure_kernel',
    'kern.tcsm_available',
    'kern.tcsm_enable',
    'kern.usrstack64',
    'kern.version',
    'kern.willshutdown',
    'security.mac.lockdown_mode_state',
    'sysctl.proc_cputype',
    'sysctl.proc_native',
    'sysctl.proc_translated',
    'vm.loadavg',
  ].map(name => `(sysctl-name "${name}")`),
];

/** Java and V8 ask for their own kind of processor by handing over a buffer, which counts as writing. */
export const askedByWriting: readonly string[] = ['kern.grade_cputype', 'kern.tcsm_enable'].map(
  name => `(sysctl-name "${name}")`,
);

/** Names of users, notifications inside the C library, logging. Not here: keychain, pasteboard, launching, preferences. */
export const services: readonly string[] = [
  'com.apple.logd',
  'com.apple.system.logger',
  'com.apple.system.notification_center',
  'com.apple.system.opendirectoryd.libinfo',
  'com.apple.system.opendirectoryd.membership',
].map(name => `(global-name "${name}")`);

/** Not programs but what they keep, in folders that hold both: databases of the user's, for one. */
export const dataOfTools: readonly string[] = ['/opt/homebrew/var', '/usr/local/var'];

/** Below HOME, besides those of every system. */
export const credentials: readonly string[] = [
  'Library/Application Support/BraveSoftware',
  'Library/Application Support/Arc',
  'Library/Application Support/Chromium',
  'Library/Application Support/Code',
  'Library/Application Support/Code - Insiders',
  'Library/Application Support/com.apple.TCC',
  'Library/Application Support/Firefox',
  'Library/Application Support/Google',
  'Library/Application Support/Microsoft Edge',
  'Library/Containers',
  'Library/Cookies',
  'Library/Group Containers',
  'Library/Keychains',
  'Library/HTTPStorages',
  'Library/Mail',
  'Library/Messages',
  'Library/Mobile Documents',
  'Library/Safari',
];
