import { parseProfile, type Form } from './seatbeltReader.ts';

// Answers what a Seatbelt profile would: "may /Users/ann/.ssh/id_rsa be read?". Knows the operations, filters and
// functions that our profiles use, and no others, so that a misspelt one is an error here and not first on a Mac.
//
// Two readings of precedence are in use: the last rule that matches, whatever operation it names; or first the rules
// that name the operation itself, and only then those for its wildcards, in each case the last that matches. macOS
// follows the second, as far as others have tried; much that is written about it tells the first. A profile must say
// the same in both, and `allows` throws where it does not.

/** One thing that a program may try. */
export type Question =
  | { readonly operation: string; readonly path?: string }
  | { readonly operation: string; readonly name: string }
  | { readonly operation: string; readonly host: string; readonly port: number };

interface Rule {
  readonly action: 'allow' | 'deny';
  readonly operations: readonly string[];
  readonly filters: readonly (readonly Form[])[];
}

export class Profile {
  readonly #rules: readonly Rule[];
  readonly #patterns = new Map<string, RegExp>();
  readonly #texts = new WeakMap<object, string>();

  /** Throws for what is not well-formed, or not known. */
  constructor(
    text: string,
    private readonly parameters: Readonly<Record<string, string>>,
  ) {
    const [version, ...forms] = parseProfile(text);
    if (JSON.stringify(version) !== '["version","1"]') throw new Error('the version comes first');
    this.#rules = forms.map(ruleOf);
    const [first] = this.#rules;
    if (first?.action !== 'deny' || first.operations.join() !== 'default' || first.filters.length > 0)
      throw new Error('a profile begins with denying everything');
    for (const { operations, filters } of this.#rules) {
      for (const each of operations) if (!knownOperations.has(each)) throw new Error(`unknown: ${each}`);
      for (const filter of filters) this.#matches(filter, { operation: 'file-read-data', path: '/' });
    }
  }

  allows(question: Question): boolean {
    const [byOrder, byOperation] = [this.#byOrder(question), this.#byOperation(question)];
    if (byOrder !== byOperation)
      throw new Error(
        `${JSON.stringify(question)} is ${String(byOrder)} by order and ${String(byOperation)} by operation`,
      );
    return byOrder;
  }

  #byOrder(question: Question): boolean {
    const lineage = lineageOf(question.operation);
    return this.#last(question, lineage) ?? false;
  }

  #byOperation(question: Question): boolean {
    for (const operation of lineageOf(question.operation)) {
      const answer = this.#last(question, [operation]);
      if (answer !== undefined) return answer;
    }
    return false;
  }

  #last(question: Question, operations: readonly string[]): boolean | undefined {
    const found = this.#rules.findLast(
      rule =>
        rule.operations.some(each => operations.includes(each)) &&
        (rule.filters.length === 0 || rule.filters.some(each => this.#matches(each, question))),
    );
    return found === undefined ? undefined : found.action === 'allow';
  }

  /** Reads every word before it compares any: what is misspelt is an error whatever is asked. */
  #matches([filter, ...words]: readonly Form[], question: Question): boolean {
    const path = 'path' in question ? question.path : undefined;
    const name = 'name' in question ? question.name : undefined;
    switch (filter) {
      case 'literal':
        return path === this.#text(words[0]);
      case 'subpath': {
        const folder = this.#text(words[0]);
        return path !== undefined && (path === folder || path.startsWith(`${folder}/`));
      }
      case 'path-ancestors': {
        const target = this.#text(words[0]);
        return path !== undefined && path !== target && (path === '/' || target.startsWith(`${path}/`));
      }
      case 'regex': {
        const pattern = this.#pattern(this.#text(words[0]));
        return path !== undefined && pattern.test(path);
      }
      case 'require-all':
        return words.map(each => this.#matches(listOf(each), question)).every(Boolean);
      case 'sysctl-name':
      case 'global-name':
        return name === this.#text(words[0]);
      case 'sysctl-name-prefix':
        return (name ?? '').startsWith(this.#text(words[0]));
      case 'socket-domain':
        return name === wordOf(words[0], socketDomains);
      case 'target':
        return name === wordOf(words[0], ['same-sandbox']);
      case 'extension':
        // Only what the kernel itself hands out, to who opens a terminal of its own.
        return this.#text(words[0]) !== 'com.apple.sandbox.pty';
      case 'local':
      case 'remote':
        return this.#isEnd(words, question);
      default:
        throw new Error(`an unknown filter: ${JSON.stringify(filter)}`);
    }
  }

  #pattern(text: string): RegExp {
    const known = this.#patterns.get(text) ?? new RegExp(text, 's');
    this.#patterns.set(text, known);
    return known;
  }

  #isEnd([kind, place]: readonly Form[], question: Question): boolean {
    if (kind === 'unix-socket') return this.#matches(listOf(place), question);
    if (kind !== 'ip') throw new Error(`an unknown kind of address: ${JSON.stringify(kind)}`);
    // Nothing else than `*` and `localhost` may stand before the port.
    const [, host, port] = /^(localhost):(\d{1,5})$/.exec(this.#text(place)) ?? [];
    if (host === undefined) throw new Error(`an address that Seatbelt does not take: ${this.#text(place)}`);
    return 'host' in question && loopback.includes(question.host) && question.port === Number(port);
  }

  #text(form: Form | undefined): string {
    if (form === undefined || typeof form === 'string') throw new Error('a text is missing');
    const text = this.#texts.get(form) ?? this.#textOf(form);
    this.#texts.set(form, text);
    return text;
  }

  #textOf(form: Exclude<Form, string>): string {
    if ('text' in form) return form.text;
    const [name, ...words] = form;
    const texts = words.map(each => this.#text(each)).join('');
    switch (name) {
      case 'param': {
        const value = this.parameters[texts];
        if (value === undefined) throw new Error(`no parameter ${texts}`);
        return value;
      }
      case 'string-append':
        return texts;
      case 'regex-quote':
        return texts.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
      default:
        throw new Error(`an unknown function: ${JSON.stringify(name)}`);
    }
  }
}

function ruleOf(form: Form): Rule {
  const [action, ...rest] = listOf(form);
  if (action !== 'allow' && action !== 'deny') throw new Error(`no rule: ${JSON.stringify(action)}`);
  const operations = rest.filter(each => typeof each === 'string');
  if (operations.length === 0) throw new Error('a rule names an operation');
  if (rest.slice(0, operations.length).some(each => typeof each !== 'string'))
    throw new Error('operations come before filters');
  return { action, operations, filters: rest.slice(operations.length).map(listOf) };
}

function listOf(form: Form | undefined): readonly Form[] {
  if (form === undefined || typeof form === 'string' || 'text' in form) throw new Error('no list');
  return form;
}

function wordOf(form: Form | undefined, known: readonly string[]): string {
  if (typeof form !== 'string' || !known.includes(form)) throw new Error(`unknown: ${JSON.stringify(form)}`);
  return form;
}

/** The operation, its wildcards from the narrowest on, and `default`. */
function lineageOf(operation: string): string[] {
  if (!knownOperations.has(operation)) throw new Error(`an unknown operation: ${operation}`);
  const wildcards = [...knownOperations].filter(
    each => each.endsWith('*') && each !== operation && operation.startsWith(each.slice(0, -1)),
  );
  return [operation, ...wildcards.toSorted((a, b) => b.length - a.length), 'default'];
}

const loopback = ['127.0.0.1', '::1', 'localhost'];
const socketDomains = ['AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_SYSTEM', 'AF_ROUTE'];

/** Those that macOS 13 to 26 know and that are asked about here. */
const knownOperations: ReadonlySet<string> = new Set(
  (
    'default file* file-chroot file-clone file-ioctl file-issue-extension file-link file-map-executable file-mknod ' +
    'file-mount file-read* file-read-data file-read-metadata file-read-xattr file-revoke file-search file-swap ' +
    'file-test-existence file-unmount file-write* file-write-acl file-write-create file-write-data file-write-flags ' +
    'file-write-mode file-write-owner file-write-setugid file-write-times file-write-unlink file-write-xattr ' +
    'process* process-exec* process-exec process-exec-interpreter process-fork process-info* process-info-listpids ' +
    'process-info-pidinfo process-info-pidfdinfo process-info-setcontrol signal sysctl* sysctl-read sysctl-write ' +
    'mach* mach-lookup mach-register mach-bootstrap mach-priv-task-port mach-host* mach-host-exception-port-set ' +
    'mach-host-special-port-set ipc* ipc-posix* ipc-posix-sem ipc-posix-shm* ipc-posix-shm-read-data ' +
    'ipc-posix-shm-write-data ipc-sysv-shm pseudo-tty network* network-bind network-inbound network-outbound ' +
    'system* system-socket system-privilege system-fsctl iokit* iokit-open appleevent-send job-creation lsopen ' +
    'user-preference* user-preference-read user-preference-write distributed-notification-post nvram* authorization-right-obtain ' +
    'dynamic-code-generation device-camera device-microphone hid-control'
  ).split(' '),
);
