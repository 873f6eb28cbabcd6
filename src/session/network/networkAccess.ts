import type { NetworkService } from '../../../sandbox/sandbox.ts';
import type { WallClock } from '../../../sandbox/wallClock.ts';
import { messageOf } from '../../base/errors.ts';
import { randomId } from '../../base/ids.ts';
import {
  startEgressProxy,
  type EgressEvent,
  type EgressProxy,
  type EgressTarget,
  type Outside,
} from '../../egress/egressProxy.ts';
import { isForbidden, isGranted, parseDomain, type DomainGrant } from '../../egress/grant.ts';
import { keepCures } from '../commands/refusals.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { ConnectionOwners } from './connectionOwners.ts';
import { FollowedCommand, newPermission, type Permission } from './followedCommand.ts';
import { HostQuestions, type QuestionDesk } from './hostQuestions.ts';
import { keyOf, type HostReport } from './hostReport.ts';

/** One permission to reach a host, as the view of all grants shows it. `at` in milliseconds since the epoch. */
export interface DomainGrantEntry {
  readonly host: string;
  /** Absent: 80 and 443. */
  readonly port?: number;
  readonly kind: 'once' | 'session' | 'always';
  readonly at: number;
  /** Connections made by it. */
  readonly uses: number;
}

export interface DomainGrants {
  list(): DomainGrantEntry[];
  /** Takes back every permission for this host, whatever the port, and cuts its connections at once. */
  revoke(host: string): void;
}

export interface NetworkOptions {
  /** The user's standing grants; asked for each connection, so that changes count at once. */
  readonly allowed: () => readonly DomainGrant[];
  /** Hosts that are never reached nor asked about, each with all below it. */
  readonly forbidden: () => readonly string[];
  /** Keeps a standing grant. A rejection is shown, and the grant counts for the session. */
  readonly remember: (grant: DomainGrant) => Promise<void>;
  /** A standing grant let a connection through. */
  readonly onUse?: (grant: DomainGrant) => void;
  /** The world behind the proxy; the machine's own when absent. */
  readonly outside?: Outside;
}

/** The session whose commands these are. */
interface Desk extends QuestionDesk {
  readonly transcript: Transcript;
}

/** One command on its way, as its terminal sees it. */
export interface CommandNetwork {
  /** Under this process id of the host. */
  runsAs(pid: number | undefined): void;
  /** Tells what was refused while it runs, for a command whose end nobody waits for. Each note once. */
  onNotes(tell: (notes: readonly string[]) => void): void;
  /** It is over, and so are its grants and questions: what it reached and what it was refused. */
  end(): Promise<HostReport>;
}

/**
 * The way out for the commands of one conversation: which hosts they may reach, the asking for more, and who reached
 * what. Nothing is reachable until somebody said so. Made before the sandbox, which is given `service`; questions are
 * asked from `attach` on. Disposing cuts every connection.
 */
export class NetworkAccess implements DomainGrants, Disposable {
  readonly service: NetworkService;
  readonly #proxy: EgressProxy;
  readonly #commands = new Map<string, FollowedCommand>();
  readonly #owners = new ConnectionOwners(this.#commands);
  readonly #forSession = new Map<string, Permission>();
  /** Stands for the commands that run, where several do and it cannot be told which one connected. */
  #unknown: FollowedCommand | undefined;
  readonly #questions: HostQuestions;
  #desk: Desk | undefined;
  #problem: string | undefined;
  #isProblemTold = false;

  constructor(private readonly options: NetworkOptions) {
    const { forbidden, remember } = options;
    this.#questions = new HostQuestions({
      forbidden,
      remember,
      allowForSession: grant => this.allowForSession(grant),
    });
    this.#proxy = startEgressProxy({
      ownerOf: connection => this.#owners.of(connection),
      allows: (target, owner) => this.#permissionFor(target, owner) !== undefined,
      ask: async (target, owner) => {
        const command = this.#commandOf(owner);
        return command === undefined
          ? 'deny'
          : await this.#questions.ask(target, command, this.#clocksOf(command));
      },
      onEvent: event => this.#onEvent(event),
      // Git and others over SSH, which knows no proxy, and what was allowed by port.
      directPorts: [22, ...options.allowed().flatMap(({ port }) => port ?? [])],
      ...(options.outside === undefined ? {} : { outside: options.outside }),
    });
    const { network } = this.#proxy;
    this.service = {
      ...network,
      // Whose it is must be known before anything is decided about it.
      accept: (connection, port) => this.#owners.find(connection, () => network.accept(connection, port)),
      onUnavailable: error => {
        this.#problem ??= messageOf(error);
      },
    };
  }

  attach(desk: Desk): void {
    this.#desk = desk;
    this.#questions.attach(desk);
  }

  /** To be called before the command is started: it may connect at once. Its `clock` stands while the user is asked. */
  follow(itemId: string, command: string, clock?: WallClock): CommandNetwork {
    const id = randomId();
    const followed = new FollowedCommand(itemId, command, clock);
    this.#commands.set(id, followed);
    if (this.#problem !== undefined && !this.#isProblemTold) {
      this.#isProblemTold = true;
      this.#desk?.warn('network.unavailable', noNetwork(this.#problem));
    }
    return {
      runsAs: pid => void (followed.pid = pid),
      onNotes: tell => void (followed.tell = tell),
      end: async () => {
        followed.over.abort();
        // Its connections end with it; how much went over them is known when they have.
        await followed.log.quiet(patience);
        clearTimeout(followed.telling);
        this.#commands.delete(id);
        const report = this.#report(followed);
        if (this.#commands.size === 0) {
          this.#unknown?.over.abort();
          this.#unknown = undefined;
        }
        return { ...report, notes: report.notes.filter(note => !followed.told.has(note)) };
      },
    };
  }

  /** Allows a host (as `parseDomain` reads it) until the session ends. */
  allowForSession(grant: string): void {
    this.#forSession.set(grant, newPermission(parseDomain(grant), 'session'));
  }

  list(): DomainGrantEntry[] {
    const once = this.#everyCommand().flatMap(({ once: granted }) => [...granted.values()]);
    return [...this.#forSession.values(), ...once].map(({ grant, kind, at, uses }) => ({
      ...grant,
      kind,
      at,
      uses,
    }));
  }

  revoke(host: string): void {
    const forget = (permissions: Map<string, Permission>) => {
      for (const [name, { grant }] of permissions) if (grant.host === host) permissions.delete(name);
    };
    forget(this.#forSession);
    for (const command of this.#everyCommand()) forget(command.once);
    this.cut(host);
  }

  /** Ends every connection to a host; whether it may be reached again is another matter. */
  cut(host: string): void {
    this.#proxy.cut(host);
  }

  [Symbol.dispose](): void {
    for (const command of this.#everyCommand()) command.over.abort();
    this.#proxy[Symbol.dispose]();
  }

  #everyCommand(): FollowedCommand[] {
    return [...this.#commands.values(), ...(this.#unknown === undefined ? [] : [this.#unknown])];
  }

  /** Who is asked about; where that is not known, the question stands at the latest command. */
  #commandOf(owner: string | undefined): FollowedCommand | undefined {
    if (owner !== undefined) return this.#commands.get(owner);
    const latest = this.#latest();
    if (latest === undefined) return undefined;
    return (this.#unknown ??= new FollowedCommand(latest.itemId, undefined, undefined));
  }

  /** Where it is not known which of them waits, it may be any. */
  #clocksOf(command: FollowedCommand): WallClock[] {
    const waiting = command === this.#unknown ? [...this.#commands.values()] : [command];
    return waiting.flatMap(({ clock }) => clock ?? []);
  }

  #latest(): FollowedCommand | undefined {
    return [...this.#commands.values()].at(-1);
  }

  #permissionFor(
    { host, port }: EgressTarget,
    owner: string | undefined,
  ): Permission | DomainGrant | undefined {
    if (isForbidden(this.options.forbidden(), host)) return undefined;
    const mine = owner === undefined ? this.#unknown : this.#commands.get(owner);
    for (const permission of [...this.#forSession.values(), ...(mine?.once.values() ?? [])])
      if (isGranted([permission.grant], host, port)) return permission;
    return this.options.allowed().find(grant => isGranted([grant], host, port));
  }

  #onEvent(event: EgressEvent): void {
    const command = event.owner === undefined ? this.#latest() : this.#commands.get(event.owner);
    if (event.kind === 'connected') {
      const permission = this.#permissionFor(event.target, event.owner);
      if (permission !== undefined && 'uses' in permission) permission.uses += 1;
      else if (permission !== undefined) this.options.onUse?.(permission);
    }
    if (command === undefined) return;
    command.log.add(event);
    command.telling ??= setTimeout(() => this.#tell(command), tellAfter);
  }

  /** Shows what went over the network so far, and what did not. */
  #tell(command: FollowedCommand): void {
    command.telling = undefined;
    const { connections, denials, notes } = this.#report(command);
    const item = this.#desk?.transcript.item(command.itemId);
    if (item?.kind === 'toolCall')
      this.#desk?.transcript.put({
        ...item,
        ...(connections.length === 0 ? {} : { connections }),
        ...(denials.length === 0 ? {} : { denials: keepCures(item.denials, denials) }),
      });
    const fresh = notes.filter(note => !command.told.has(note));
    if (command.tell === undefined || fresh.length === 0) return;
    for (const note of fresh) command.told.add(note);
    command.tell(fresh);
  }

  #report(command: FollowedCommand): HostReport {
    return command.log.report(
      target => command.verdicts.get(keyOf(target)) ?? this.#unknown?.verdicts.get(keyOf(target)),
    );
  }
}

/** Milliseconds for the connections of a command that is gone to be noticed as gone. */
const patience = 1_000;
/** Milliseconds between two reports of what goes over the network. */
const tellAfter = 2_000;
function noNetwork(why: string): string {
  return `Commands of this conversation have no network, whatever is allowed: ${why}`;
}
