import type { ToolCallItem } from '../../src/protocol/transcript.ts';
import type { WallDenial } from '../../src/protocol/wallDenial.ts';
import { Visible } from '../approval/commandText.tsx';
import { Button } from '../controls/button.tsx';
import { Icon } from '../controls/icon.tsx';
import { useHost } from '../host.ts';
import { byteCount } from '../quantities.ts';

/** What the walls refused this call, each with a button for the smallest thing that would lift it. */
export function Denials({ call }: { call: ToolCallItem }) {
  const host = useHost();
  if (call.denials === undefined || call.denials.length === 0) return null;
  return (
    <ul class="wall-denials" aria-label="Refused by the walls">
      {call.denials.map((denial, index) => {
        const cure = cureOf(denial);
        return (
          <li key={index}>
            <Icon name="circle-slash" />
            <span class="words">
              <Visible text={inWorkspace(denial.words, host.folders())} />
            </span>
            {'cured' in denial && denial.cured !== undefined ? (
              <span class="cured">{cured[denial.cured]} Ask for the command again.</span>
            ) : cure === undefined ? null : (
              <Button onPress={() => host.post({ type: 'cureDenial', toolCallId: call.id, denial: index })}>
                {cure}
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

const cured = {
  once: 'Allowed for one more run of it.',
  session: 'Allowed for this session now.',
  always: 'Always allowed now.',
};

/** Which hosts it reached, and how much went there and back. */
export function Connections({ call }: { call: ToolCallItem }) {
  if (call.connections === undefined || call.connections.length === 0) return null;
  return (
    <ul class="connections" aria-label="Reached over the network">
      {call.connections.map(({ host, port, connections, sent, received }) => (
        <li key={`${host} ${port}`}>
          <Icon name="globe" /> <Visible text={port === 443 || port === 80 ? host : `${host}:${port}`} />
          <span class="traffic">
            {connections === 1 ? '' : ` ${connections} connections,`} {byteCount(sent)} sent,{' '}
            {byteCount(received)} received
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Paths are shown as everywhere else: without the folder that is open. */
function inWorkspace(words: string, folders: readonly string[]): string {
  return folders.reduce((text, folder) => text.replaceAll(`${folder}/`, ''), words);
}

/** What the button says; the host asks before anything is lifted. */
function cureOf(denial: WallDenial): string | undefined {
  switch (denial.kind) {
    case 'host':
      return denial.grant === undefined ? undefined : `Allow ${denial.grant}…`;
    case 'secretFile':
      return 'Show this file to commands…';
    case 'limit':
      return 'Open this setting';
    case 'protectedPath':
    case 'outside':
    case 'notCopied':
    case 'tracing':
      return undefined;
  }
}
