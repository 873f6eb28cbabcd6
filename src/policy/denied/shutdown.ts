import { denying } from '../finding.ts';
import { baseName } from './baseName.ts';
import type { DenyCheck } from './denied.ts';

/** Stopping the machine, or everything that runs on it. */
export const shutdown: DenyCheck = (words, { command }) => {
  const [name = '', ...rest] = words;
  const tool = baseName(name);
  const says = (message: string) => denying('denied.shutdown', message, command.span);
  switch (tool) {
    case 'shutdown':
    case 'reboot':
    case 'halt':
    case 'poweroff':
    case 'pm-suspend':
    case 'pm-hibernate':
      return rest.some(word => /^--(?:help|version)$|^-c$|^--show$/.test(word))
        ? undefined
        : says('This would stop the machine.');
    case 'init':
    case 'telinit':
      return rest.some(word => /^[06sS1]$|^(?:q|u)$/i.test(word))
        ? says('This would stop the machine.')
        : undefined;
    case 'systemctl':
    case 'loginctl':
      return rest.some(word =>
        /^(?:poweroff|reboot|halt|kexec|soft-reboot|suspend|hibernate|hybrid-sleep|suspend-then-hibernate|rescue|emergency|exit|isolate|default)$|^(?:poweroff|reboot|halt|rescue|emergency|shutdown|kexec)\.target$/.test(
          word,
        ),
      )
        ? says('This would stop the machine.')
        : undefined;
    case 'kexec':
      return rest.some(word => /^-[a-z]*e|^--exec/.test(word))
        ? says('This would replace the running system.')
        : undefined;
    case 'kill':
      return killed(rest).some(target => target === '1' || target === '-1')
        ? says('This would end every process, or the first one.')
        : undefined;
    case 'rtcwake':
      return rest.some(word => /^(?:off|mem|disk|standby|freeze)$/.test(word))
        ? says('This would stop the machine.')
        : undefined;
    case 'ipmitool':
      return /power (?:off|cycle|reset|soft)/.test(rest.join(' '))
        ? says('This would stop the machine.')
        : undefined;
    case 'killall5':
      return says('This would end every process.');
    case 'pkill':
    case 'killall':
    case 'skill':
      return rest.some(word => /^(?:init|systemd|launchd|\.\*?|\^|''|\.\+)$/.test(word))
        ? says('This would end every process, or the first one.')
        : undefined;
    case 'dbus-send':
    case 'busctl':
    case 'gdbus':
    case 'qdbus':
      return /(?:login1|ConsoleKit|Hal)[^]*(?:PowerOff|Reboot|Halt|Stop|Suspend|Hibernate|Shutdown)/.test(
        rest.join(' '),
      )
        ? says('This would stop the machine.')
        : undefined;
    case 'osascript':
      return /shut ?down|restart|log ?out/i.test(rest.join(' '))
        ? says('This would stop the machine.')
        : undefined;
    case 'rundll32.exe':
    case 'shutdown.exe':
      return says('This would stop the machine.');
    default:
      return undefined;
  }
};

/** What `kill` is aimed at: words after the signal, which may be written in many ways. Signal 0 only tests. */
function killed(words: readonly string[]): readonly string[] {
  let at = 0;
  const first = words[0] ?? '';
  if (first === '-s' || first === '-n' || first === '--signal') at = 2;
  else if (/^-(?:\d+|[A-Za-z]\w*|-signal=.*)$/.test(first)) at = 1;
  if (/^-(?:0|l|L)$/.test(first)) return [];
  return words.slice(at).filter(word => word !== '--');
}
