import type { Attack } from '../attack.ts';

/** Runs one system call in python and says whether it was let through. */
function systemCall(expression: string): string {
  return `/usr/bin/python3 -c '
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
call = lambda *a: libc.syscall(*[ctypes.c_long(x) if isinstance(x, int) else x for x in a])
x64 = os.uname().machine == "x86_64"
print("ESCAPED" if ${expression} else "")
'`;
}

export const processAttacks: readonly Attack[] = [
  {
    name: 'see a host process in /proc',
    // grep itself fails when any process is gone before it is read, found or not.
    script: 'grep -al "host[-]process" /proc/[0-9]*/cmdline 2>/dev/null | grep -q . && echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: 'see host processes with ps',
    script: 'ps -eo args | grep "host[-]process" && echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: 'signal a host process',
    script: 'kill -USR1 "$HOST_PID"; sleep 0.6',
    proof: { file: 'OUTSIDE/signalled' },
  },
  {
    name: 'signal every process',
    script:
      'trap : USR1; kill -USR1 "$HOST_PID"; for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = host-process ] && kill -USR1 ${p#/proc/}; done; sleep 0.6',
    proof: { file: 'OUTSIDE/signalled' },
  },
  { name: 'create a user namespace', script: 'unshare --user true && echo ESCAPED', proof: 'saysSo' },
  {
    name: 'create a user namespace and be root in it',
    script: 'unshare --user --map-root-user sh -c "[ $(id -u) = 0 ] || true; echo ESCAPED"',
    proof: 'saysSo',
  },
  {
    name: 'create a network namespace',
    script: 'unshare --user --net true && echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: 'create a user namespace with clone',
    script: systemCall('call(56 if x64 else 220, 0x10000000 | 17, None, None, None, None) >= 0'),
    proof: 'saysSo',
  },
  {
    name: 'mount a file system',
    script: 'unshare --user --map-root-user --mount sh -c "mount -t tmpfs none /tmp && echo ESCAPED"',
    proof: 'saysSo',
  },
  {
    name: 'start another sandbox to become more inside it',
    script: 'bwrap --unshare-user --uid 0 --ro-bind / / true && echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: 'trace a process',
    script: systemCall('call(101 if x64 else 117, 0, 0, 0, 0) == 0'),
    proof: 'saysSo',
  },
  {
    name: "read another process's memory",
    script: `/usr/bin/python3 -c '
import ctypes, os
class V(ctypes.Structure): _fields_ = [("b", ctypes.c_void_p), ("l", ctypes.c_size_t)]
libc = ctypes.CDLL(None); a = ctypes.create_string_buffer(b"ESCAPED"); b = ctypes.create_string_buffer(8)
p = os.fork()
if p == 0:
  import time; time.sleep(1); os._exit(0)
r = libc.process_vm_readv(p, ctypes.byref(V(ctypes.addressof(b), 7)), 1, ctypes.byref(V(ctypes.addressof(a), 7)), 1, 0)
os.kill(p, 9)
print(b.value.decode() if r == 7 else "")'`,
    proof: 'saysSo',
  },
  {
    name: "use the kernel's key store",
    script: systemCall(
      'call(248 if x64 else 217, ctypes.c_char_p(b"user"), ctypes.c_char_p(b"cordon-test"), ctypes.c_char_p(b"x"), 1, -3) > 0',
    ),
    proof: 'saysSo',
  },
  {
    name: 'set up io_uring',
    script: systemCall('call(425, 1, ctypes.create_string_buffer(256)) >= 0'),
    proof: 'saysSo',
  },
  {
    name: 'watch performance events',
    script: `/usr/bin/python3 -c '
import ctypes, struct, os
libc = ctypes.CDLL(None); b = ctypes.create_string_buffer(struct.pack("IIQ", 1, 128, 9) + bytes(112)); b[40:48] = struct.pack("Q", 0x62)
print("ESCAPED" if libc.syscall(298 if os.uname().machine == "x86_64" else 241, b, 0, -1, -1, 0) >= 0 else "")'`,
    proof: 'saysSo',
  },
  {
    name: 'handle page faults of the kernel',
    script: systemCall('call(323 if x64 else 282, 1) >= 0'),
    proof: 'saysSo',
  },
  {
    name: 'load a BPF program',
    script: systemCall(
      'call(321 if x64 else 280, 0, ctypes.create_string_buffer(b"\\x01\\0\\0\\0\\x04\\0\\0\\0\\x08\\0\\0\\0\\x01\\0\\0\\0" + bytes(112)), 128) >= 0',
    ),
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'read the kernel log',
    script: 'dmesg >/dev/null && echo ESCAPED',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'change the host name',
    script: 'hostname "$(hostname)" && echo ESCAPED',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'set the clock',
    script: 'date --set "$(date)" >/dev/null && echo ESCAPED',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'make a device node',
    script: 'mknod dev-$$ c 1 1 && echo ESCAPED; rm -f dev-$$',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'open a block device',
    script:
      'for d in /dev/vda /dev/sda /dev/nvme0n1 /dev/loop-control; do { : < $d; } 2>/dev/null && echo ESCAPED; done',
    proof: 'saysSo',
    needsRoot: true,
  },
  { name: 'change root', script: 'chroot / true && echo ESCAPED', proof: 'saysSo', needsRoot: true },
  {
    name: 'join the namespaces of the first process',
    script: 'nsenter --target $HOST_PID --mount true && echo ESCAPED',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'hold capabilities',
    script: 'grep -q "^CapEff:.*0000000000000000" /proc/self/status || echo ESCAPED',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'keep capabilities in reach',
    script: 'grep -q "^CapBnd:.*0000000000000000" /proc/self/status || echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: 'gain privileges by a setuid program',
    script: 'grep -q "^NoNewPrivs:.*1" /proc/self/status || echo ESCAPED',
    proof: 'saysSo',
  },
  { name: 'be root', script: '[ "$(id -u)" = 0 ] && echo ESCAPED', proof: 'saysSo', needsRoot: true },
  {
    name: 'take over ownership of a file',
    script: 'touch mine; chown 12345 mine && echo ESCAPED; rm -f mine',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'raise its priority',
    script: 'nice -n -5 true 2>&1 | grep -q . || echo ESCAPED',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'learn the name of the machine',
    script: '[ "$(cat /proc/sys/kernel/hostname)" = "$HOST_NAME" ] && echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: "see the host's System V shared memory",
    script: 'ipcs -m | grep -q "$SHARED_MEMORY" && echo ESCAPED',
    proof: 'saysSo',
  },
];
