import { isIP } from 'node:net';
import { domainToUnicode } from 'node:url';
import { grantFor, isWebPort } from '../../egress/grant.ts';
import type { EgressTarget } from '../../egress/egressProxy.ts';
import type { ApprovalSubject } from '../../protocol/approval.ts';
import type { Decision } from '../../protocol/decision.ts';

/**
 * The question whether a command may reach a host. Without a command: several run, and which of them it is could not be
 * told. The host is shown as it is compared, so look-alike letters show as what they are. Pure.
 */
export function domainQuestion(
  { host, port }: EgressTarget,
  command: string | undefined,
): { readonly subject: ApprovalSubject; readonly decision: Decision } {
  const found: { code: string; risk: number; message: string }[] = [
    {
      code: 'network.host',
      risk: 40,
      message: `Whatever the command can read, it could send to ${host}.`,
    },
  ];
  if (isIP(host) !== 0)
    found.push({
      code: 'network.address',
      risk: 55,
      message: 'It is an address without a name, so nothing says whose it is.',
    });
  const letters = domainToUnicode(host);
  if (letters !== host && letters !== '')
    found.push({
      code: 'network.lookAlike',
      risk: 75,
      message: `It is written with other letters than a to z (“${letters}”) and may imitate another name.`,
    });
  if (!isWebPort(port))
    found.push({
      code: 'network.port',
      risk: 55,
      message: `Port ${port} is not one of the web's (80 and 443); what is said there cannot be checked.`,
    });
  if (port === 80)
    found.push({
      code: 'network.plain',
      risk: 45,
      message: 'Port 80 is not encrypted: whoever is on the way can read and change what is sent.',
    });
  if (command === undefined)
    found.push({
      code: 'network.whichCommand',
      risk: 50,
      message: 'Several commands run; which of them it is could not be told.',
    });
  return {
    subject: {
      kind: 'domain',
      host,
      port,
      grant: grantFor(host, port),
      ...(command === undefined ? {} : { command }),
    },
    decision: {
      decision: 'ask',
      risk: Math.max(...found.map(({ risk }) => risk)),
      reasons: found.map(({ code, message }) => ({ code, message, span: [0, 0] })),
    },
  };
}
