import type { ApprovalSubject } from '../../src/protocol/approval.ts';
import { CommandText, Visible } from './commandText.tsx';

/** A host that a running command wants to reach: the host as it is compared, never prettier, and the command. */
export function DomainSubject({ subject }: { subject: Extract<ApprovalSubject, { kind: 'domain' }> }) {
  const { host, port, command } = subject;
  return (
    <>
      <p class="host">
        <strong>
          <Visible text={host} />
        </strong>
        {port === 443 ? null : (
          <span class="port">{port === 80 ? ' port 80, not encrypted' : ` port ${port}`}</span>
        )}
      </p>
      {command === undefined ? (
        <p class="where">for a command of this conversation</p>
      ) : (
        <>
          <p class="where">for this command, which waits:</p>
          <CommandText command={command} reasons={[]} />
        </>
      )}
      <p class="where">“Allow once” lasts until the command ends.</p>
    </>
  );
}
