import type { Attack } from '../attack.ts';

function connect(expression: string): string {
  return `/usr/bin/python3 -c '
import os, socket
port, token = int(os.environ["PORT"]), os.environ["TOKEN"].encode()
${expression}
s.sendall(token); s.close()'; sleep 0.2`;
}

function makeSocket(family: string, type: string, protocol = '0'): string {
  return `/usr/bin/python3 -c '
import socket
socket.socket(${family}, ${type}, ${protocol}); print("ESCAPED")'`;
}

const reaches = 'reachesService' as const;

export const networkAttacks: readonly Attack[] = [
  {
    name: 'reach a service on 127.0.0.1',
    script: 'exec 3<>/dev/tcp/127.0.0.1/$PORT; echo "$TOKEN" >&3; sleep 0.2',
    proof: reaches,
  },
  {
    name: 'reach a service on localhost',
    script: 'exec 3<>/dev/tcp/localhost/$PORT; echo "$TOKEN" >&3; sleep 0.2',
    proof: reaches,
  },
  {
    name: 'reach a service on ::1',
    script: connect('s = socket.create_connection(("::1", int(os.environ["PORT6"])))'),
    proof: reaches,
  },
  {
    name: 'reach a service on 0.0.0.0',
    script: connect('s = socket.create_connection(("0.0.0.0", port))'),
    proof: reaches,
  },
  {
    name: 'reach a service on another loopback address',
    script: connect('s = socket.create_connection(("127.9.8.7", port))'),
    proof: reaches,
  },
  {
    name: 'reach a service by an IPv4-mapped address',
    script: connect('s = socket.socket(socket.AF_INET6); s.connect(("::ffff:127.0.0.1", port))'),
    proof: reaches,
  },
  {
    name: "reach a service on the machine's own address",
    script: connect('s = socket.create_connection((os.environ["ADDRESS"], port))'),
    proof: reaches,
  },
  {
    name: 'reach a service by UDP',
    script: 'echo "$TOKEN" > /dev/udp/127.0.0.1/$UDP_PORT; sleep 0.3',
    proof: reaches,
  },
  {
    name: 'reach a Unix socket',
    script: connect('s = socket.socket(socket.AF_UNIX); s.connect(os.environ["UNIX_SOCKET"])'),
    proof: reaches,
  },
  {
    name: 'reach a Unix socket through /proc',
    script: connect(
      's = socket.socket(socket.AF_UNIX); s.connect("/proc/self/root" + os.environ["UNIX_SOCKET"])',
    ),
    proof: reaches,
  },
  {
    name: 'reach an abstract Unix socket',
    script: connect('s = socket.socket(socket.AF_UNIX); s.connect("\\0" + os.environ["ABSTRACT_SOCKET"])'),
    proof: reaches,
  },
  {
    name: 'see the network interfaces of the machine',
    script: 'grep -vE "lo:|Inter|face" /proc/net/dev && echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: 'see connections of the machine',
    script: 'grep -qi ":$(printf %04X $PORT) " /proc/net/tcp && echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: 'see Unix sockets of the machine',
    script: 'grep -q "$ABSTRACT_SOCKET" /proc/net/unix && echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: 'find a route out',
    script: 'grep -q "00000000" <(cut -f2 /proc/net/route) && echo ESCAPED',
    proof: 'saysSo',
  },
  {
    name: 'open a raw socket',
    script: makeSocket('socket.AF_INET', 'socket.SOCK_RAW', '1'),
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'open a packet socket',
    script: makeSocket('17', 'socket.SOCK_RAW', '0'),
    proof: 'saysSo',
    needsRoot: true,
  },
  { name: "listen to the kernel's audit", script: makeSocket('16', 'socket.SOCK_RAW', '9'), proof: 'saysSo' },
  {
    name: "listen to the kernel's device events",
    script: makeSocket('16', 'socket.SOCK_RAW', '15'),
    proof: 'saysSo',
  },
];
