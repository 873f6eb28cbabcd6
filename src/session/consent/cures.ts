import type { ToolCallItem } from '../../protocol/transcript.ts';
import type { WallDenial } from '../../protocol/wallDenial.ts';
import type { NetworkAccess } from '../network/networkAccess.ts';
import type { Transcript } from '../transcript/transcript.ts';

/** What the user lifted, for this session, of what the walls refused a command. */
export class Cures {
  /** Since when, in milliseconds since the epoch. */
  readonly #shownFiles = new Map<string, number>();

  constructor(
    private readonly transcript: Transcript,
    private readonly network: NetworkAccess | undefined,
  ) {}

  /** Hidden files that the agent and its commands see from now on. */
  get shownFiles(): string[] {
    return [...this.#shownFiles.keys()];
  }

  shownSince(path: string): number {
    return this.#shownFiles.get(path) ?? 0;
  }

  /** Lets commands, and the agent's reading, see a hidden file until the session ends or it is hidden again. */
  show(path: string): void {
    this.#shownFiles.set(path, Date.now());
  }

  /** Hides a file again. */
  hide(path: string): void {
    this.#shownFiles.delete(path);
  }

  /**
   * Lifts exactly this denial of this call, or marks it as lifted for always by a setting. False when the transcript
   * holds no such denial, or when it cannot be lifted like this.
   */
  lift(itemId: string, index: number, how: 'session' | 'always'): boolean {
    const item = this.transcript.item(itemId);
    if (item?.kind !== 'toolCall') return false;
    const denial = item.denials?.[index];
    if (denial === undefined) return false;
    const lifted = this.#lifted(denial, how);
    if (lifted === undefined) return false;
    this.transcript.put(withDenial(item, index, lifted));
    this.transcript.flush();
    return true;
  }

  #lifted(denial: WallDenial, how: 'session' | 'always'): WallDenial | undefined {
    if (denial.kind === 'host' && denial.grant !== undefined && this.network !== undefined) {
      if (how === 'session') this.network.allowForSession(denial.grant);
      return { ...denial, cured: how };
    }
    if (denial.kind === 'secretFile' && how === 'session') {
      this.show(denial.path);
      return { ...denial, cured: how };
    }
    return undefined;
  }
}

function withDenial(item: ToolCallItem, index: number, denial: WallDenial): ToolCallItem {
  return { ...item, denials: item.denials?.with(index, denial) };
}
