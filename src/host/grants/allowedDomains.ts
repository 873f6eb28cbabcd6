import type * as vscode from 'vscode';
import * as z from 'zod';
import { messageOf } from '../../base/errors.ts';
import { grantFor, parseDomain, type DomainGrant } from '../../egress/grant.ts';
import type { DomainGrantEntry, DomainGrants, NetworkAccess } from '../../session/network/networkAccess.ts';

interface Settings {
  /** As the user wrote them. */
  readonly allowed: () => readonly string[];
  /** Undefined when it cannot be read. */
  readonly forbidden: () => readonly string[] | undefined;
  readonly write: (allowed: readonly string[]) => Promise<void>;
}

const stateKey = 'domainUses';
const Uses = z.record(z.string(), z.object({ at: z.number(), uses: z.number() })).catch({});

/**
 * The hosts that commands may reach, of all conversations of this window: those that the settings allow for always,
 * with how often they were used, and what the conversations were granted.
 */
export class AllowedDomains implements DomainGrants {
  readonly #conversations = new Set<NetworkAccess>();
  #read: {
    readonly key: string;
    readonly grants: readonly DomainGrant[];
    readonly hosts: readonly string[];
  } = {
    key: '',
    grants: [],
    hosts: [],
  };

  constructor(
    private readonly settings: Settings,
    /** Where neither the repository nor the agent can write. */
    private readonly state: vscode.Memento,
    private readonly onProblem: (message: string) => void,
  ) {}

  /** The way out of one conversation; `over` takes it from the list. */
  async open(): Promise<{ readonly access: NetworkAccess; readonly over: () => void }> {
    const { NetworkAccess: Access } = await import('../../session/network/networkAccess.ts');
    const access = new Access({
      allowed: () => this.#settings().grants,
      forbidden: () => this.#settings().hosts,
      remember: grant => this.add(grant),
      onUse: grant => this.#count(grant),
    });
    this.#conversations.add(access);
    return {
      access,
      over: () => {
        this.#conversations.delete(access);
        access[Symbol.dispose]();
      },
    };
  }

  /** Allows it for always, in the user's settings. */
  async add({ host, port }: DomainGrant): Promise<void> {
    const text = port === undefined ? grantFor(host, 443) : grantFor(host, port);
    await this.settings.write([...new Set([...this.settings.allowed(), text])]);
  }

  list(): DomainGrantEntry[] {
    const counted = this.#uses();
    const always = this.#settings().grants.map((grant): DomainGrantEntry => {
      const { at = 0, uses = 0 } = counted[keyOf(grant)] ?? {};
      return { ...grant, kind: 'always', at, uses };
    });
    return [...always, ...[...this.#conversations].flatMap(each => each.list())];
  }

  revoke(host: string): void {
    const kept = this.settings.allowed().filter(each => hostIn(each) !== host);
    // Cut at once; until the settings are written the host would be let through again.
    this.#read = { ...this.#read, grants: this.#read.grants.filter(each => each.host !== host) };
    this.settings.write(kept).catch((error: unknown) => this.onProblem(messageOf(error)));
    for (const each of this.#conversations) each.revoke(host);
  }

  /** The settings changed: what they no longer allow is cut. */
  settingsChanged(): void {
    const before = this.#read.grants;
    const { grants, hosts } = this.#settings();
    const left = new Set(grants.map(keyOf));
    const gone = before.filter(each => !left.has(keyOf(each))).map(({ host }) => host);
    for (const host of new Set([...gone, ...hosts])) for (const each of this.#conversations) each.cut(host);
  }

  /**
   * Parsed once for each value. What cannot be read is named. As long as a prohibition cannot be, nothing counts as
   * allowed for always: every host is asked about.
   */
  #settings() {
    const allowed = this.settings.allowed();
    const forbidden = this.settings.forbidden();
    const key = JSON.stringify([allowed, forbidden ?? null]);
    if (key === this.#read.key) return this.#read;
    const read = (setting: string, texts: readonly string[]) =>
      texts.flatMap(text => {
        try {
          return [parseDomain(text)];
        } catch (error) {
          this.onProblem(`The setting "cordon.network.${setting}": ${messageOf(error)}`);
          return [];
        }
      });
    const hosts = read('deniedDomains', forbidden ?? []).map(({ host }) => host);
    const isWhole = forbidden !== undefined && hosts.length === forbidden.length;
    if (!isWhole)
      this.onProblem(
        'A part of the setting "cordon.network.deniedDomains" cannot be read. Until it is mended, hosts that are always allowed are asked about as well.',
      );
    const grants = isWhole ? read('allowedDomains', allowed) : [];
    const counted = this.#uses();
    const fresh = grants.filter(grant => counted[keyOf(grant)] === undefined);
    if (fresh.length > 0) {
      const added = fresh.map(grant => [keyOf(grant), { at: Date.now(), uses: 0 }] as const);
      void this.state.update(stateKey, { ...counted, ...Object.fromEntries(added) });
    }
    this.#read = { key, grants, hosts };
    return this.#read;
  }

  #count(grant: DomainGrant): void {
    const all = this.#uses();
    const { at = Date.now(), uses = 0 } = all[keyOf(grant)] ?? {};
    void this.state.update(stateKey, { ...all, [keyOf(grant)]: { at, uses: uses + 1 } });
  }

  #uses(): Record<string, { at: number; uses: number }> {
    return Uses.parse(this.state.get(stateKey));
  }
}

function keyOf({ host, port }: DomainGrant): string {
  return port === undefined ? host : `${host} ${port}`;
}

function hostIn(text: string): string | undefined {
  try {
    return parseDomain(text).host;
  } catch {
    return undefined;
  }
}
