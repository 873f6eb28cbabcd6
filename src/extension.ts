import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { CordonError, messageOf } from './base/errors.ts';
import { randomId } from './base/ids.ts';
import { onPanelMessage, type Parts, registerCommands } from './commands.ts';
import type { ModelBackend } from './gateway/gateway.ts';
import { AllowedDomains } from './host/allowedDomains.ts';
import { ApprovalFaces } from './host/approvalFaces.ts';
import { Conversations, type Started } from './host/conversations.ts';
import { Credentials } from './host/credentials.ts';
import { deleteConversation } from './host/deleteConversation.ts';
import { GoingBack } from './host/goingBack.ts';
import { mendApplies } from './host/mendApplies.ts';
import { Restoring } from './host/restoring.ts';
import { registerTrashDocuments } from './host/trashDocuments.ts';
import { chooseMode, confirmUnrestricted } from './host/modeChoice.ts';
import { cureDenial } from './host/denialCures.ts';
import { chooseModel } from './host/modelSetup.ts';
import { vscodeLanguageModel } from './host/languageModel.ts';
import { SandboxState } from './host/sandboxState.ts';
import * as settings from './host/settings.ts';
import { onSaved } from './host/saves.ts';
import { UnsavedDocuments } from './host/unsavedDocuments.ts';
import { FolderGrants } from './session/folderGrants.ts';
import { openGrants } from './store/grants.ts';
import { Review } from './host/review/review.ts';
import { grantSources } from './host/grantSources.ts';
import { GrantsView } from './host/grantsView.ts';
import { StopSwitch } from './host/stopSwitch.ts';
import { createStatusItem } from './host/statusItem.ts';
import { editRules } from './host/ruleEditor.ts';
import { RuleUses } from './host/ruleUses.ts';
import { PolicyInForce } from './host/policyInForce.ts';
import { WorkingCopies } from './host/workingCopies.ts';
import { WorkspaceRules } from './host/workspaceRules.ts';
import { gateOf } from './panel/gate.ts';
import { Panels } from './panel/panels.ts';
import { type ModelSettings, modelLabel } from './protocol/model.ts';
import type { PanelState } from './protocol/panel.ts';
import type { Conversation, SessionEvent } from './protocol/transcript.ts';
import { describeCopy } from './session/changes/chooseCopy.ts';
import type { WorkingCopy } from './session/changes/workingCopy.ts';
import type { SandboxOptions } from '../sandbox/sandbox.ts';

// The composition root: everything is built and connected here, in one read. Heavy modules (SQLite, the policy's
// parser, the agent protocol) are imported where they are first needed, so that activation stays short.

let shutDown: (() => Promise<void>) | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel('Cordon', { log: true });
  const folders = () =>
    (vscode.workspace.workspaceFolders ?? [])
      .filter(each => each.uri.scheme === 'file')
      .map(each => each.uri.fsPath);
  const storage = context.globalStorageUri.fsPath;
  /** What belongs to this set of folders: the private HOME, the conversations' copies of the workspace. */
  const workspaceStorage = () => {
    const names = folders().toSorted().join('\0');
    return path.join(storage, 'workspaces', createHash('sha256').update(names).digest('hex').slice(0, 16));
  };
  // Sockets live here: their paths must stay short, and only this user may look.
  const runDirectory = await mkdtemp(path.join(tmpdir(), 'cordon-'));

  const credentials = new Credentials(context.secrets);
  const rules = new WorkspaceRules(context.workspaceState);
  const sandbox = new SandboxState({
    check: async () =>
      settings.sandboxBackend() === 'podman'
        ? (await import('../sandbox/podmanReadiness.ts')).checkPodman()
        : (await import('../sandbox/readiness.ts')).checkSandbox(),
    selfTest: async walls => (await import('../sandbox/selfTest.ts')).selfTest(walls),
  });

  const workspace = vscode.workspace.workspaceFile?.toString() ?? folders().join('\n');
  const conversations = new Conversations({
    workspace,
    history: async () =>
      (await import('./store/openHistory.ts')).openHistory(path.join(storage, 'history.db')),
    shown: {
      read: () => context.workspaceState.get<string>('shownConversation'),
      write: id => void context.workspaceState.update('shownConversation', id),
    },
    start: startAgent,
    onDeleted: id => copies.remove(id),
    onNotice: text => void vscode.window.showWarningMessage(`Cordon: ${text}`),
    log,
  });

  const copies = new WorkingCopies({
    open: openCopy,
    directory: () => path.join(workspaceStorage(), 'copies'),
    isBusy: id => conversations.isBusy(id),
    isInUse: id => conversations.isInUse(id),
    onAccepted: (id, outcome) => restoring.accepted(id, outcome),
    onMoved: () => review.refreshSoon(),
    log,
  });
  const places = { journals: path.join(storage, 'applies'), trash: path.join(storage, 'trash') };
  const worker = context.asAbsolutePath('dist/changes-worker.cjs');
  const openTrash = async () =>
    (await import('./session/changes/openTrashCan.ts')).openTrashCan(places, worker);
  const restoring = new Restoring({
    // What was changed in folders outside is there as well, while it is known that they were allowed.
    folders: () => [...folders().map(folder => realpathSync(folder)), ...folderGrants.recent()],
    openTrash,
    copyOf: id => copies.open(id),
    onRestored: () => review.refreshSoon(),
  });
  const goingBack = new GoingBack({
    conversations,
    copies,
    prompt: text => panels.post({ type: 'focusPrompt', text }),
  });
  const importCommits = async () => {
    const { importAgentCommits } = await import('./host/importing.ts');
    await importAgentCommits({
      conversation: () => conversations.current,
      copyOf: async id => (copies.exists(id) ? await copies.open(id) : undefined),
      openWalls: async copy => (await import('../sandbox/sandbox.ts')).openSandbox(wallsFor(copy)),
      directory: () => mkdtemp(path.join(runDirectory, 'commits-')),
    });
  };

  /** What all walls of this window have in common, around a copy of the workspace or around the user's own files. */
  function wallsFor(copy: WorkingCopy | undefined): SandboxOptions {
    return {
      folders: folders(),
      stateDirectory: workspaceStorage(),
      ...(copy?.view === undefined ? {} : { copyOnWrite: copy.view }),
      extraReadOnlyPaths: settings.extraReadOnlyPaths(),
      limits: settings.commandLimits(),
      backend: settings.sandboxBackend(),
    };
  }

  async function openCopy(directory: string): Promise<WorkingCopy> {
    const { openWorkingCopy } = await import('./session/changes/openWorkingCopy.ts');
    return await openWorkingCopy({
      directory,
      folders: folders(),
      home: homedir(),
      wanted: settings.workspaceMode(),
      backend: settings.sandboxBackend(),
      ...places,
      worker,
    });
  }

  /** Where it is no copy-on-write view, the conversation says so, and why. Undefined where there is not even a checkpoint. */
  async function copyFor(id: string, tell: (event: SessionEvent) => void): Promise<WorkingCopy | undefined> {
    const say = (level: 'info' | 'warning', kind: string, text: string) => {
      const notice = { kind: 'notice', level, code: `workspace.${kind}`, text } as const;
      tell({ type: 'item', item: { id: randomId(), at: Date.now(), ...notice } });
    };
    try {
      const copy = await copies.open(id);
      const described = describeCopy(copy);
      sandbox.showWorkspace(described);
      if (copy.kind !== 'overlay')
        say(copy.kind === 'clone' ? 'info' : 'warning', copy.kind, described.detail);
      return copy;
    } catch (error) {
      const text = `There is no copy of the workspace to work in, so the agent asks before it writes to your own files, and nothing is kept of what they held. ${messageOf(error)}`;
      say('warning', 'unkept', text);
      return undefined;
    }
  }

  const domains = new AllowedDomains(
    {
      allowed: settings.allowedDomains,
      forbidden: settings.deniedDomains,
      write: settings.writeAllowedDomains,
    },
    context.globalState,
    message => void vscode.window.showWarningMessage(`Cordon: ${message}`),
  );
  const folderGrants = new FolderGrants({
    store: () => openGrants(path.join(storage, 'grants.db')),
    workspace,
    // The editor's settings decide what the agent may do: they are beside our own storage.
    bounds: () => ({ workspace: folders(), records: [storage, path.resolve(storage, '../../..')] }),
  });
  const unsaved = new UnsavedDocuments();
  const stopSwitch = new StopSwitch(storage, error => log.error(messageOf(error)));
  const uses = new RuleUses(context.workspaceState);
  const inForce = new PolicyInForce({
    folders,
    rules: () => rules.inForce(),
    uses,
    past: () => conversations.pastCommands(),
    onProblem: ({ source, pattern, message }) =>
      void vscode.window.showWarningMessage(
        `Cordon ignores the rule "${pattern}" of the ${source} settings: ${message}`,
      ),
  });

  function refuseWhenStopped(): void {
    if (stopSwitch.isStopped)
      throw new CordonError('session.stopped', 'Everything is stopped.', 'Choose "Cordon: Resume" to go on.');
  }

  /** Walls first, proven; then the agent in them. */
  async function startAgent(
    id: string,
    resume: Conversation | undefined,
    onEvent: (event: SessionEvent) => void,
  ): Promise<Started> {
    const model = settings.modelSettings();
    if (!vscode.workspace.isTrusted || model === undefined)
      throw new Error('Cordon is not set up in this workspace.');
    refuseWhenStopped();
    const { openSandbox } = await import('../sandbox/sandbox.ts');
    const { unrestrictedSandbox } = await import('../sandbox/unrestricted.ts');
    const { startSession } = await import('./session/startSession.ts');
    const isUnrestricted = settings.mode() === 'unrestricted' && (await confirmUnrestricted());
    const copy = isUnrestricted ? undefined : await copyFor(id, onEvent);
    const network = await domains.open();
    const walls = await openSandbox({
      ...wallsFor(copy),
      ...(isUnrestricted ? {} : { network: network.access.service }),
    }).catch((error: unknown) => {
      network.over();
      throw error;
    });
    try {
      await Promise.all([sandbox.prove(walls), inForce.ready()]);
      if (isUnrestricted) sandbox.showOff();
      const sessionWalls = isUnrestricted ? unrestrictedSandbox(walls) : walls;
      const session = startSession({
        id,
        ...(resume === undefined ? {} : { resume }),
        folders: folders(),
        model,
        backend: await backendOf(model),
        sandbox: sessionWalls,
        ...(copy === undefined ? {} : { workingCopy: copy }),
        ...(isUnrestricted ? {} : { network: network.access }),
        policy: granted => inForce.policy(isUnrestricted ? 'none' : 'sandbox', granted),
        writableFolders: settings.writableFolders,
        isLocked: () => settings.mode() === 'locked',
        remember: (answer, what) =>
          what === 'write'
            ? settings.addWritableFolder(answer.pattern)
            : rules.allow(answer.pattern, answer.scope),
        folderGrants,
        trash: places.trash,
        unsaved,
        programs: {
          node: process.execPath,
          agent: context.asAbsolutePath('dist/agent.cjs'),
          fileWriter: context.asAbsolutePath('dist/file-writer.cjs'),
          ripgrep: (await import('@vscode/ripgrep')).rgPath,
        },
        runDirectory,
        limits: settings.agentLimits(),
        onEvent,
        log,
      });
      const end = once(async () => {
        await sessionWalls[Symbol.asyncDispose]();
        network.over();
      });
      // Stopped while it was being built.
      refuseWhenStopped();
      return { session, walls: { [Symbol.asyncDispose]: end } };
    } catch (error) {
      await walls[Symbol.asyncDispose]();
      network.over();
      throw error;
    }
  }

  async function backendOf(model: ModelSettings): Promise<ModelBackend> {
    if (model.provider === 'vscode') {
      const { languageModelBackend } = await import('./gateway/languageModelBackend.ts');
      return languageModelBackend(await vscodeLanguageModel(model.model));
    }
    const { modelBackend } = await import('./gateway/modelBackend.ts');
    return modelBackend(
      { ...model, provider: model.provider },
      async () => (await credentials.read(model)) ?? '',
    );
  }

  const state = (): PanelState => {
    const model = settings.modelSettings();
    return {
      gate: gateOf({
        folders: (vscode.workspace.workspaceFolders ?? []).map(each => ({ scheme: each.uri.scheme })),
        isTrusted: vscode.workspace.isTrusted,
        hasModel: model !== undefined,
        isStopped: stopSwitch.isStopped,
        sandboxProblem: sandbox.problem,
      }),
      conversation: conversations.current,
      history: conversations.list(),
      model: model === undefined ? null : { provider: model.provider, label: modelLabel(model) },
      mode: settings.mode(),
      sandbox: sandbox.badge,
      changes: review.totals,
      folders: folders(),
    };
  };

  const review = new Review({
    conversation: () => conversations.current,
    copyOf: async id => (vscode.workspace.isTrusted && copies.exists(id) ? await copies.open(id) : undefined),
    events: conversations.events,
    shownChanged: conversations.changed,
    send: async prompt => {
      await panels.reveal();
      await conversations.send(prompt);
    },
    memory: context.workspaceState,
    log,
  });
  const grants = new GrantsView(grantSources({ folderGrants, conversations, rules, uses, domains, folders }));

  const panels = new Panels({
    extensionUri: context.extensionUri,
    state,
    onMessage: message => void onPanelMessage(message, parts),
    log,
  });
  const approvals = new ApprovalFaces({
    panelVisible: () => panels.isVisible,
    showPanel: () => panels.show(),
    waiting: () => conversations.waiting(),
    answer: (id, answer) => conversations.answerApproval(id, answer),
    tryOnPast: pattern => inForce.tryOnPast(pattern, 'user'),
  });
  const status = createStatusItem();
  const showStatus = () => {
    const isRunning = conversations.current.status !== 'idle';
    const activity = conversations.waiting().length > 0 ? 'waiting' : isRunning ? 'running' : 'idle';
    const shown = stopSwitch.isStopped ? 'stopped' : activity;
    status.show(vscode.workspace.isTrusted ? shown : 'restricted', sandbox.badge);
    void vscode.commands.executeCommand('setContext', 'cordon.stopped', stopSwitch.isStopped);
    void vscode.commands.executeCommand('setContext', 'cordon.running', isRunning);
  };
  const refresh = () => {
    panels.refresh();
    showStatus();
  };

  const parts: Parts = {
    panels,
    conversations,
    approvals,
    credentials,
    sandbox,
    review,
    goingBack,
    restoring,
    importCommits,
    deleteConversation: id => deleteConversation(id, { conversations, copies }),
    chooseModel: async provider => {
      const { probe } = await import('./gateway/probe.ts');
      if ((await chooseModel(credentials, probe, provider)) !== undefined) await conversations.endSessions();
      refresh();
    },
    chooseMode,
    grants,
    stopEverything: async () => {
      stopSwitch.stop();
      await stopped;
    },
    resume: () => stopSwitch.resume(),
    cureDenial: (toolCallId, denial) =>
      cureDenial(toolCallId, denial, {
        find: (id, index) => conversations.denial(id, index),
        hasSession: () => conversations.hasSession,
        lift: (id, index, how) => conversations.liftDenial(id, index, how),
        allowAlways: grant => domains.add(grant),
        suggest: text => panels.post({ type: 'focusPrompt', text }),
      }),
    manageRules: () =>
      editRules({
        rules,
        policy: () => inForce.preview(),
        uses,
        tryOnPast: (pattern, source, verdict) => inForce.tryOnPast(pattern, source, verdict),
        cwd: () => folders()[0] ?? homedir(),
      }),
  };

  const report = (error: unknown) => {
    log.error(messageOf(error));
    void vscode.window.showErrorMessage(`Cordon: ${messageOf(error)}`);
  };

  /** Settles when all is over that was running when everything was last stopped. */
  let stopped: Promise<void> = Promise.resolve();
  const onStopSwitch = () => {
    refresh();
    if (!stopSwitch.isStopped) return;
    folderGrants.dropTemporary();
    stopped = conversations.stopEverything().then(refresh, report);
  };

  /** Other folders are another workspace. */
  const endAll = async () => {
    await conversations.endSessions();
    await copies[Symbol.asyncDispose]();
  };

  /** What needs a trusted workspace; runs at once or when trust is granted, without a reload. */
  const bringUp = async () => {
    refresh();
    if (!vscode.workspace.isTrusted || folders().length === 0) return;
    // A question to the user waits as long as the user likes; nothing waits for it.
    rules.askAboutChanges().catch(report);
    mendApplies(places.journals, openTrash).catch(report);
    await Promise.all([sandbox.check(), conversations.restore()]).catch(report);
    refresh();
  };

  const listening = [
    conversations.events.on(({ conversationId, event }) => {
      panels.post({ type: 'event', conversationId, event });
      approvals.onEvent(event);
      if (event.type === 'status' || event.type === 'approval' || event.type === 'approvalSettled')
        showStatus();
    }),
    conversations.changed.on(refresh),
    sandbox.changed.on(refresh),
    review.changed.on(() => panels.refresh()),
    stopSwitch.changed.on(onStopSwitch),
    // What is allowed for a session comes with an answer, and goes with the session.
    conversations.events.on(({ event }) => {
      if (event.type === 'approvalSettled' || event.type === 'status') grants.refresh();
    }),
  ];
  context.subscriptions.push(
    log,
    panels,
    status,
    rules,
    unsaved,
    review,
    grants,
    { dispose: () => stopSwitch[Symbol.dispose]() },
    ...registerCommands(parts),
    registerTrashDocuments(openTrash),
    restoring,
    onSaved(() => void conversations.saved().catch(report)),
    ...listening.map(each => ({ dispose: () => each[Symbol.dispose]() })),
    { dispose: () => approvals[Symbol.dispose]() },
    vscode.workspace.onDidGrantWorkspaceTrust(() => void bringUp()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => void endAll().then(bringUp)),
    vscode.workspace.onDidChangeConfiguration(change => {
      if (change.affectsConfiguration('cordon.commands.rules') && vscode.workspace.isTrusted)
        rules.askAboutChanges().catch(report);
      // A rule or a folder that is gone holds for nothing that runs either.
      if (change.affectsConfiguration('cordon.commands.rules')) void conversations.recheck('rules');
      if (change.affectsConfiguration('cordon.files.writableFolders')) void conversations.recheck('grants');
      // Another mode means other walls: every conversation starts its agent anew.
      if (change.affectsConfiguration('cordon.mode') || change.affectsConfiguration('cordon.sandbox'))
        void conversations.endSessions();
      // What the agent works in is opened anew, as it is wanted now.
      if (
        change.affectsConfiguration('cordon.workspace') ||
        change.affectsConfiguration('cordon.sandbox.backend')
      )
        void conversations.endSessions().then(() => copies.closeAll());
      // What a command may use counts from the next one on; a turn that runs is not ended for it.
      if (change.affectsConfiguration('cordon.limits')) void conversations.endIdleSessions();
      if (change.affectsConfiguration('cordon.sandbox') && vscode.workspace.isTrusted) void sandbox.check();
      if (change.affectsConfiguration('cordon.network')) domains.settingsChanged();
      if (change.affectsConfiguration('cordon')) {
        refresh();
        grants.refresh();
      }
    }),
  );
  shutDown = async () => {
    await conversations[Symbol.asyncDispose]();
    await copies[Symbol.asyncDispose]();
    folderGrants[Symbol.dispose]();
    await rm(runDirectory, { recursive: true, force: true });
  };
  // Not awaited: the view is shown as soon as this returns, and fills when it is known what can be done here.
  void bringUp();
  void introduce(context.globalState, panels);
}

/** However often it is called, it is done once. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}

/** Once, after the installation: the view opens by itself, since nobody looks for it where it is. */
async function introduce(memory: vscode.Memento, panels: Panels): Promise<void> {
  if (memory.get('introduced') === true) return;
  await memory.update('introduced', true);
  await panels.reveal();
}

/** VS Code waits for this before it ends the extension host. */
export async function deactivate(): Promise<void> {
  await shutDown?.();
}
