import type { FolderGrants } from '../../session/consent/folderGrants.ts';
import type { SessionGrant } from '../../session/consent/sessionGrants.ts';
import type { DomainGrants } from '../../session/network/networkAccess.ts';
import type { Sessions } from '../conversations/sessions.ts';
import { isAllowed, ruleExpiry } from '../rules/ruleText.ts';
import type { RuleUses } from '../rules/ruleUses.ts';
import type { WorkspaceRules } from '../rules/workspaceRules.ts';
import * as settings from '../settings.ts';
import type { Grant, GrantSource } from './grantSource.ts';

interface Options {
  readonly folderGrants: FolderGrants;
  readonly sessions: Sessions;
  readonly rules: WorkspaceRules;
  readonly uses: RuleUses;
  readonly domains: DomainGrants;
  /** Workspace folders. */
  readonly folders: () => readonly string[];
}

/** Everything that was ever allowed and still is, kind by kind. */
export function grantSources(options: Options): GrantSource[] {
  return [
    outsideFolders(options),
    workspaceFolders(options),
    commands(options),
    hiddenFiles(options),
    hosts(options),
  ];
}

function outsideFolders({ folderGrants }: Options): GrantSource {
  return {
    kind: 'folder',
    title: 'Folders outside of the workspace',
    list: () =>
      folderGrants.list().map(({ path, access, ...grant }): Grant => ({
        ...grant,
        label: path,
        what: access === 'read' ? 'read' : 'read and change',
      })),
    revoke: async id => folderGrants.revoke(id),
    changed: folderGrants.changed,
  };
}

function workspaceFolders({ sessions, folders }: Options): GrantSource {
  return {
    kind: 'writable',
    title: 'Workspace folders that may be changed directly',
    list: () => [
      ...settings
        .writableFolders()
        .filter(each => folders().includes(each))
        .map(path => uncounted(path, path, 'change', 'always')),
      ...ofSessions(sessions, 'writable', 'change'),
    ],
    async revoke(id) {
      sessions.revokeGrant(id);
      await settings.removeWritableFolder(id);
    },
  };
}

function commands({ sessions, rules, uses }: Options): GrantSource {
  const places = () => [settings.userRules(), ...settings.workspaceRules()];
  return {
    kind: 'command',
    title: 'Commands',
    list: () => [
      ...places().flatMap(place =>
        Object.entries(settings.rulesOf(place))
          .filter(([, rule]) => isAllowed(rule))
          .map(([pattern, rule]): Grant => {
            const use = uses.of({ source: place.place === 'user' ? 'user' : 'workspace', pattern });
            return {
              ...uncounted(
                JSON.stringify([place.place, pattern]),
                pattern,
                `rule of the ${place.label}`,
                'always',
              ),
              lastUsedAt: use?.last ?? null,
              uses: use?.count ?? 0,
              expiresAt: ruleExpiry(rule),
            };
          }),
      ),
      ...ofSessions(sessions, 'command', 'this very command'),
    ],
    async revoke(id) {
      sessions.revokeGrant(id);
      for (const place of places()) {
        const all = settings.rulesOf(place);
        const kept = Object.entries(all).filter(([pattern]) => JSON.stringify([place.place, pattern]) !== id);
        if (kept.length < Object.keys(all).length) await rules.change(place, Object.fromEntries(kept));
      }
    },
  };
}

function hiddenFiles({ sessions }: Options): GrantSource {
  return {
    kind: 'file',
    title: 'Hidden files that the agent sees',
    list: () => ofSessions(sessions, 'file', 'read'),
    revoke: async id => sessions.revokeGrant(id),
  };
}

function hosts({ domains }: Options): GrantSource {
  return {
    kind: 'domain',
    title: 'Hosts',
    list: () =>
      domains.list().map(({ host, port, kind, at, uses }): Grant => {
        const label = port === undefined ? host : `${host}:${port}`;
        return {
          ...uncounted(host, label, 'reach', kind),
          lastUsedAt: at === 0 ? null : at,
          uses,
        };
      }),
    revoke: async host => domains.revoke(host),
  };
}

function ofSessions(sessions: Sessions, kind: SessionGrant['kind'], what: string): Grant[] {
  return sessions
    .grants()
    .filter(each => each.kind === kind)
    .map(({ id, name, onceFor, createdAt, lastUsedAt, uses }): Grant => ({
      id,
      label: name,
      what: onceFor === undefined ? what : `${what}, by ${onceFor}`,
      answer: onceFor === undefined ? 'session' : 'once',
      createdAt,
      lastUsedAt,
      uses: kind === 'command' ? uses : undefined,
      expiresAt: null,
    }));
}

function uncounted(id: string, label: string, what: string, answer: Grant['answer']): Grant {
  return { id, label, what, answer, createdAt: null, lastUsedAt: null, uses: undefined, expiresAt: null };
}
