import type { ToolCallItem } from '../../protocol/transcript.ts';
import type { WallDenial } from '../../protocol/wallDenial.ts';
import type { NetworkAccess } from '../network/networkAccess.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { ShownFiles } from './shownFiles.ts';

/** How long a denial is lifted: for one more run of the command, for the session, or by a setting. */
export type CureTerm = 'once' | 'session' | 'always';

/** What the user lifted, for this session, of what the walls refused a command. */
export class Cures {
  /** Hidden files that the agent and its commands see. */
  readonly shown = new ShownFiles();

  constructor(
    private readonly transcript: Transcript,
    private readonly network: NetworkAccess | undefined,
  ) {}

  /**
   * Lifts exactly this denial of this call (`once`: for one more run of the very command), or marks it as lifted for
   * always by a setting. False when the transcript holds no such denial, or when it cannot be lifted like this.
   */
  lift(itemId: string, index: number, how: CureTerm): boolean {
    const item = this.transcript.item(itemId);
    if (item?.kind !== 'toolCall') return false;
    const denial = item.denials?.[index];
    if (denial === undefined) return false;
    const lifted = this.#lifted(item, denial, how);
    if (lifted === undefined) return false;
    this.transcript.put(withDenial(item, index, lifted));
    this.transcript.flush();
    return true;
  }

  #lifted(item: ToolCallItem, denial: WallDenial, how: CureTerm): WallDenial | undefined {
    if (
      denial.kind === 'host' &&
      how !== 'once' &&
      denial.grant !== undefined &&
      this.network !== undefined
    ) {
      if (how === 'session') this.network.allowForSession(denial.grant);
      return { ...denial, cured: how };
    }
    if (denial.kind !== 'secretFile' || how === 'always') return undefined;
    if (how === 'session') this.shown.show(denial.path);
    else if (item.command === undefined || item.cwd === undefined) return undefined;
    else this.shown.showOnce(denial.path, item.command, item.cwd);
    return { ...denial, cured: how };
  }
}

function withDenial(item: ToolCallItem, index: number, denial: WallDenial): ToolCallItem {
  return { ...item, denials: item.denials?.with(index, denial) };
}
