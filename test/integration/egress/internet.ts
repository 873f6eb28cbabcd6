import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';
import {
  startEgressProxy,
  type EgressEvent,
  type EgressOptions,
  type EgressProxy,
  type Outside,
} from '../../../src/egress/egressProxy.ts';
import { isGranted, parseDomain } from '../../../src/egress/grant.ts';

/** What a server of the internet saw. */
export interface Seen {
  readonly place: string;
  readonly host: string | undefined;
  readonly url: string | undefined;
  readonly body: string;
}

/**
 * A small internet on this machine: names, public addresses, and real servers behind them, with an authority of its
 * own. Only names and addresses are made up; every byte goes over real sockets, TLS and HTTP.
 */
export class Internet implements AsyncDisposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-net-')));
  /** Certificates of the authority, in PEM. */
  readonly authority: string;
  readonly seen: Seen[] = [];
  /** Every name that was resolved and every address that was connected to, in order. */
  readonly resolved: string[] = [];
  readonly connected: string[] = [];
  readonly #names = new Map<string, readonly string[] | (() => readonly string[])>();
  readonly #ports = new Map<string, number>();
  readonly #servers: Server[] = [];
  readonly certificate: { readonly key: string; readonly cert: string };

  constructor(names: readonly string[]) {
    const run = (...args: string[]) =>
      execFileSync('openssl', args, { cwd: this.folder, stdio: 'ignore', timeout: 60_000 });
    const elliptic = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    run(
      'req',
      '-x509',
      ...elliptic,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '2',
      '-subj',
      '/CN=Test authority',
    );
    run('req', ...elliptic, '-keyout', 'site.key', '-out', 'site.csr', '-subj', `/CN=${names[0] ?? 'site'}`);
    writeFileSync(
      join(this.folder, 'site.cnf'),
      `subjectAltName=${names.map(name => `DNS:${name}`).join(',')}\nbasicConstraints=CA:FALSE\n`,
    );
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'site.cnf'];
    run('x509', '-req', '-in', 'site.csr', ...signed, '-out', 'site.pem', '-days', '2');
    const read = (name: string) => readFileSync(join(this.folder, name), 'utf8');
    this.authority = read('ca.pem');
    this.certificate = { key: read('site.key'), cert: read('site.pem') };
  }

  /** Lets a name lead to these addresses; a function is asked each time. */
  name(name: string, addresses: readonly string[] | (() => readonly string[])): this {
    this.#names.set(name, addresses);
    return this;
  }

  /** Something that listens on this machine already, as `address:port`. */
  place(address: string, port: number, local: number): this {
    this.#ports.set(`${address}:${port}`, local);
    return this;
  }

  /** An HTTP server at `address:port`. */
  async web(address: string, port: number, answer: RequestListener = hello): Promise<this> {
    return this.#listen(http.createServer(this.#watched(`${address}:${port}`, answer)), address, port);
  }

  /** An HTTPS server at `address:port`. */
  async secureWeb(address: string, port: number, answer: RequestListener = hello): Promise<this> {
    return this.#listen(
      https.createServer(this.certificate, this.#watched(`${address}:${port}`, answer)),
      address,
      port,
    );
  }

  /** Anything else. */
  async service(address: string, port: number, answer: (socket: net.Socket) => void): Promise<this> {
    return this.#listen(
      net.createServer(socket => {
        socket.on('error', () => undefined);
        answer(socket);
      }),
      address,
      port,
    );
  }

  readonly outside: Outside = {
    resolve: name => {
      this.resolved.push(name);
      const found = this.#names.get(name);
      const addresses = typeof found === 'function' ? found() : (found ?? []);
      return Promise.resolve(addresses.map(address => ({ address, family: net.isIP(address) })));
    },
    connect: ([first], port, onread) => {
      const place = `${first?.address ?? ''}:${port}`;
      this.connected.push(place);
      // Port 1 of this machine answers nobody, as an address without a server would.
      return net.connect({
        host: '127.0.0.1',
        port: this.#ports.get(place) ?? 1,
        ...(onread === undefined ? {} : { onread }),
      });
    },
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#servers.map(async server => {
        if ('closeAllConnections' in server) (server as unknown as http.Server).closeAllConnections();
        server.close();
        await once(server, 'close');
      }),
    );
    rmSync(this.folder, { recursive: true, force: true });
  }

  #watched(place: string, answer: RequestListener): RequestListener {
    return (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('latin1');
        this.seen.push({ place, host: request.headers.host, url: request.url, body });
        answer(request, response);
      });
    };
  }

  async #listen(server: Server, address: string, port: number): Promise<this> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    this.#ports.set(`${address}:${port}`, (server.address() as AddressInfo).port);
    return this;
  }
}

const hello: RequestListener = (request, response) => {
  response.end(`hello from ${request.headers.host ?? ''}${request.url ?? ''}\n`);
};

export interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** The real sandbox with the proxy as its only way out. */
export class Walls implements AsyncDisposable {
  readonly events: EgressEvent[] = [];
  readonly #folder: string;
  readonly workspace: string;
  private sandbox!: Sandbox;
  private proxy!: EgressProxy;

  private constructor(internet: Internet) {
    this.#folder = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-egress-')));
    this.workspace = join(this.#folder, 'work');
    mkdirSync(this.workspace);
    writeFileSync(join(this.workspace, 'authority.crt'), internet.authority);
  }

  static async open(
    internet: Internet,
    grants: readonly string[],
    options: Partial<EgressOptions> = {},
  ): Promise<Walls> {
    const walls = new Walls(internet);
    const parsed = grants.map(each => parseDomain(each));
    walls.proxy = startEgressProxy({
      allows: ({ host, port }) => isGranted(parsed, host, port),
      onEvent: event => void walls.events.push(event),
      outside: internet.outside,
      ...options,
    });
    walls.sandbox = await openSandbox({
      folders: [walls.workspace],
      stateDirectory: join(walls.#folder, 'state'),
      network: walls.proxy.network,
      // The Node that runs the tests: an older one in PATH does not honour the proxy's variables.
      extraReadOnlyPaths: [dirname(process.execPath)],
    });
    return walls;
  }

  /** Runs a script of bash's inside, as the agent would. */
  async run(script: string, stdin = ''): Promise<Outcome> {
    const authority = join(this.workspace, 'authority.crt');
    const started = await this.sandbox.launch({
      argv: ['bash', '-c', script],
      cwd: this.workspace,
      writableFolders: [this.workspace],
      view: 'system',
      stdin: 'pipe',
      environment: {
        SSL_CERT_FILE: authority,
        CURL_CA_BUNDLE: authority,
        GIT_SSL_CAINFO: authority,
        NODE_EXTRA_CA_CERTS: authority,
        npm_config_cafile: authority,
        PIP_CERT: authority,
        REQUESTS_CA_BUNDLE: authority,
        CARGO_HTTP_CAINFO: authority,
      },
    });
    started.stdin?.on('error', () => undefined).end(stdin);
    const [out, err, exit] = await Promise.all([
      collected(started.stdout),
      collected(started.stderr),
      started.exited,
    ]);
    return { status: exit.code, out, err };
  }

  /** Codes of what was refused, in order, without repetitions. */
  get refusals(): string[] {
    return [...new Set(this.events.flatMap(each => (each.kind === 'refused' ? [each.refusal.code] : [])))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]();
    this.proxy[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function collected(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
