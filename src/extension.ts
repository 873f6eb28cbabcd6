import { realpathSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from './base/errors.ts';
import { onPanelMessage, type Parts, registerCommands } from './commands.ts';
import { ApprovalFaces } from './host/approvals/approvalFaces.ts';
import { cureDenial } from './host/approvals/denialCures.ts';
import { Conversations } from './host/conversations/conversations.ts';
import { deleteConversation } from './host/conversations/deleteConversation.ts';
import { GoingBack } from './host/conversations/goingBack.ts';
import { onSaved } from './host/conversations/saves.ts';
import { Sessions } from './host/conversations/sessions.ts';
import { startAgent, type AgentParts } from './host/conversations/startAgent.ts';
import { UnsavedDocuments } from './host/conversations/unsavedDocuments.ts';
import { WorkingCopies } from './host/conversations/workingCopies.ts';
import { AllowedDomains } from './host/grants/allowedDomains.ts';
import { grantSources } from './host/grants/grantSources.ts';
import { GrantsView } from './host/grants/grantsView.ts';
import { introduce } from './host/introduce.ts';
import { Credentials } from './host/models/credentials.ts';
import { chooseModel } from './host/models/modelSetup.ts';
import { placesOf } from './host/places.ts';
import { Review } from './host/review/review.ts';
import { PolicyInForce } from './host/rules/policyInForce.ts';
import { editRules } from './host/rules/ruleEditor.ts';
import { RuleUses } from './host/rules/ruleUses.ts';
import { WorkspaceRules } from './host/rules/workspaceRules.ts';
import { chooseMode } from './host/sandbox/modeChoice.ts';
import { clearHome } from './host/sandbox/clearHome.ts';
import { SandboxState } from './host/sandbox/sandboxState.ts';
import { wallOptions } from './host/sandbox/wallOptions.ts';
import { onSettingChanges } from './host/settingChanges.ts';
import * as settings from './host/settings.ts';
import { createStatusItem } from './host/statusItem.ts';
import { StopSwitch } from './host/stopSwitch.ts';
import { mendApplies } from './host/trash/mendApplies.ts';
import { Restoring } from './host/trash/restoring.ts';
import { registerTrashDocuments } from './host/trash/trashDocuments.ts';
import { workspaceFolders } from './host/workspaceFolders.ts';
import { Panels } from './panel/panels.ts';
import { panelState } from './panel/panelState.ts';
import { FolderGrants } from './session/consent/folderGrants.ts';
import { openGrants } from './store/grants.ts';

// The composition root: everything is built and connected here, in one read. Heavy modules (SQLite, the policy's
// parser, the agent protocol) are imported where they are first needed, so that activation stays short. What is built
// earlier may name what comes later in its callbacks: none is called before all is there.

let shutDown: (() => Promise<void>) | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  // Where things are kept, and how errors are told.
  const log = vscode.window.createOutputChannel('Cordon', { log: true });
  const places = placesOf(context);
  // Sockets live here: their paths must stay short, and only this user may look.
  const runDirectory = await mkdtemp(path.join(tmpdir(), 'cordon-'));
  const workspace = vscode.workspace.workspaceFile?.toString() ?? workspaceFolders().join('\n');
  const warn = (text: string) => void vscode.window.showWarningMessage(`Cordon: ${text}`);
  const report = (error: unknown) => {
    log.error(messageOf(error));
    void vscode.window.showErrorMessage(`Cordon: ${messageOf(error)}`);
  };

  // What the user allowed: rules, folders, hosts; and the switch that ends it all.
  const rules = new WorkspaceRules(context.workspaceState);
  const uses = new RuleUses(context.workspaceState);
  const inForce = new PolicyInForce({
    folders: workspaceFolders,
    rules: () => rules.inForce(),
    uses,
    past: () => conversations.pastCommands(),
    onProblem: ({ source, pattern, message }) =>
      void vscode.window.showWarningMessage(
        `Cordon ignores the rule "${pattern}" of the ${source} settings: ${message}`,
      ),
  });
  const folderGrants = new FolderGrants({
    store: () => openGrants(places.grants, error => log.warn(messageOf(error))),
    workspace,
    // The editor's settings decide what the agent may do: they are beside our own storage.
    bounds: () => ({
      workspace: workspaceFolders(),
      records: [places.storage, path.resolve(places.storage, '../../..')],
    }),
  });
  const domains = new AllowedDomains(
    {
      allowed: settings.allowedDomains,
      forbidden: settings.deniedDomains,
      write: settings.writeAllowedDomains,
    },
    context.globalState,
    warn,
  );
  const stopSwitch = new StopSwitch(places.storage, error => log.error(messageOf(error)));

  // The walls.
  const sandbox = new SandboxState({
    check: async () =>
      settings.sandboxBackend() === 'podman'
        ? (await import('../sandbox/podmanReadiness.ts')).checkPodman()
        : (await import('../sandbox/readiness.ts')).checkSandbox(),
    selfTest: async walls => (await import('../sandbox/selfTest.ts')).selfTest(walls),
  });

  // Conversations, their agents, and the copies of the workspace in which those work.
  const credentials = new Credentials(context.secrets);
  const unsaved = new UnsavedDocuments();
  const sessions = new Sessions({
    start: (id, resume, onEvent) => startAgent(id, resume, onEvent, agentParts),
    log,
  });
  const conversations = new Conversations({
    workspace,
    sessions,
    history: async () => (await import('./store/openHistory.ts')).openHistory(places.history),
    shown: {
      read: () => context.workspaceState.get<string>('shownConversation'),
      write: id => void context.workspaceState.update('shownConversation', id),
    },
    onDeleted: id => copies.remove(id),
    onNotice: warn,
    log,
  });
  const copies = new WorkingCopies({
    open: async directory => {
      const { openWorkingCopy } = await import('./session/changes/openWorkingCopy.ts');
      return await openWorkingCopy({
        directory,
        folders: workspaceFolders(),
        home: homedir(),
        wanted: settings.workspaceMode(),
        backend: settings.sandboxBackend(),
        journals: places.journals,
        trash: places.trash,
        worker,
      });
    },
    directory: () => path.join(places.workspace(), 'copies'),
    isBusy: id => conversations.isBusy(id),
    isInUse: id => conversations.isInUse(id),
    onAccepted: (id, outcome) => restoring.accepted(id, outcome),
    onMoved: () => review.refreshSoon(),
    log,
  });
  const agentParts: AgentParts = {
    places,
    runDirectory,
    copies,
    sandbox,
    inForce,
    rules,
    domains,
    folderGrants,
    credentials,
    unsaved,
    stopSwitch,
    log,
  };

  // Reviewing what they changed, taking it over, and undoing that.
  const worker = places.program('changes-worker.cjs');
  const openTrash = async () =>
    (await import('./session/changes/openTrashCan.ts')).openTrashCan(
      { journals: places.journals, trash: places.trash },
      worker,
    );
  const restoring = new Restoring({
    // What was changed in folders outside is there as well, while it is known that they were allowed.
    folders: () => [...workspaceFolders().map(folder => realpathSync(folder)), ...folderGrants.recent()],
    openTrash,
    copyOf: id => copies.open(id),
    onRestored: () => review.refreshSoon(),
  });
  const goingBack = new GoingBack({
    conversations,
    copies,
    prompt: text => panels.post({ type: 'focusPrompt', text }),
  });
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

  // What is seen: the panel, the questions, the grants, the status bar.
  const panels = new Panels({
    extensionUri: context.extensionUri,
    state: () => panelState({ conversations, sandbox, stopSwitch, review }),
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
  const grants = new GrantsView(
    grantSources({ folderGrants, sessions, rules, uses, domains, folders: workspaceFolders }),
  );
  const status = createStatusItem({ conversations, sandbox, stopSwitch });
  const refresh = () => {
    panels.refresh();
    status.refresh();
  };

  // What the user can do, by command or in the panel.
  const parts: Parts = {
    panels,
    conversations,
    approvals,
    credentials,
    sandbox,
    review,
    goingBack,
    restoring,
    grants,
    importCommits: async () => {
      const { importAgentCommits } = await import('./host/commits/importing.ts');
      await importAgentCommits({
        conversation: () => conversations.current,
        copyOf: async id => (copies.exists(id) ? await copies.open(id) : undefined),
        openWalls: async copy =>
          (await import('../sandbox/sandbox.ts')).openSandbox(wallOptions(copy, places)),
        directory: () => mkdtemp(path.join(runDirectory, 'commits-')),
      });
    },
    deleteConversation: id => deleteConversation(id, { conversations, copies }),
    chooseModel: async provider => {
      const { probe } = await import('./gateway/probe.ts');
      if ((await chooseModel(credentials, probe, provider)) !== undefined) await sessions.endAll();
      refresh();
    },
    chooseMode,
    clearHome: () => clearHome({ stateDirectory: places.workspace(), endAll: () => sessions.endAll() }),
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
        cwd: () => workspaceFolders()[0] ?? homedir(),
      }),
  };

  // What follows from what.
  /** Settles when all is over that was running when everything was last stopped. */
  let stopped: Promise<void> = Promise.resolve();
  const onStopSwitch = () => {
    refresh();
    if (!stopSwitch.isStopped) return;
    folderGrants.dropTemporary();
    stopped = sessions.stopEverything().then(refresh, report);
  };
  /** What needs a trusted workspace; runs at once or when trust is granted, without a reload. */
  const bringUp = async () => {
    refresh();
    if (!vscode.workspace.isTrusted || workspaceFolders().length === 0) return;
    // A question to the user waits as long as the user likes; nothing waits for it.
    rules.askAboutChanges().catch(report);
    mendApplies(places.journals, openTrash).catch(report);
    await Promise.all([sandbox.check(), conversations.restore()]).catch(report);
    refresh();
  };
  /** Other folders are another workspace. */
  const endAll = async () => {
    await sessions.endAll();
    await copies[Symbol.asyncDispose]();
  };
  const listening = [
    conversations.events.on(({ conversationId, event }) => {
      panels.post({ type: 'event', conversationId, event });
      approvals.onEvent(event);
      if (event.type === 'status' || event.type === 'approval' || event.type === 'approvalSettled')
        status.refresh();
      // What is allowed for a session comes with an answer, and goes with the session.
      if (event.type === 'approvalSettled' || event.type === 'status') grants.refresh();
    }),
    conversations.changed.on(refresh),
    sandbox.changed.on(refresh),
    review.changed.on(() => panels.refresh()),
    stopSwitch.changed.on(onStopSwitch),
  ];
  context.subscriptions.push(
    log,
    panels,
    status,
    rules,
    unsaved,
    review,
    grants,
    restoring,
    { dispose: () => stopSwitch[Symbol.dispose]() },
    { dispose: () => approvals[Symbol.dispose]() },
    ...listening.map(each => ({ dispose: () => each[Symbol.dispose]() })),
    ...registerCommands(parts),
    registerTrashDocuments(openTrash),
    onSaved(() => void sessions.saved().catch(report)),
    onSettingChanges({ conversations, sessions, copies, rules, domains, sandbox, grants, refresh, report }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void bringUp()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => void endAll().then(bringUp)),
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

/** VS Code waits for this before it ends the extension host. */
export async function deactivate(): Promise<void> {
  await shutDown?.();
}
