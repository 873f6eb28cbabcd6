/** User settings for a workbench that shows Cordon and little else, and keeps to itself. */
export const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.colorTheme': 'Dark Modern',
  'workbench.secondarySideBar.defaultVisibility': 'visible',
  'workbench.enableExperiments': false,
  // Editors such as Workspace Trust else open in a block that swallows clicks.
  'workbench.editor.useModal': 'off',
  'telemetry.telemetryLevel': 'off',
  'chat.disableAIFeatures': true,
  'extensions.autoUpdate': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'remote.autoForwardPorts': false,
  'git.openRepositoryInParentFolders': 'never',
  // VS Code 1.139 would show no more than a banner.
  'security.workspace.trust.startupPrompt': 'always',
};
