import { installPackages } from './packages.mjs';
import { Stop } from './steps.mjs';
import { bubblewrap, chromium, ensurePrograms, lsof, offerPrograms, podman } from './systemPrograms.mjs';
import { findNode } from './toolchain.mjs';

/**
 * Brings a fresh clone to where it can build and run: packages, Bubblewrap and, for the tests, Chromium, Podman and lsof. Begins on
 * Node 20 with nothing installed; does nothing when nothing is missing.
 *
 * @param {'start' | 'test'} purpose
 * @returns {Promise<{ node: string }>} the Node for everything that follows
 * @throws {Stop} with what a person has to do first
 */
export async function setUp(purpose) {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < 20) throw new Stop(`Node 20 or newer is needed to begin; this is ${process.version}.`);

  if (process.platform === 'linux') {
    await ensurePrograms(purpose === 'test' ? [bubblewrap, chromium] : [bubblewrap]);
    // One by one: what cannot be had does not keep the other away.
    if (purpose === 'test') for (const each of [podman, lsof]) await offerPrograms([each]);
  } else if (purpose === 'test') {
    throw new Stop('The tests need Linux: they attack a real Bubblewrap sandbox.');
  } else {
    console.log('  There is no Bubblewrap on this system: Cordon will open, and say that it runs nothing.');
  }
  await installPackages();
  return { node: await findNode() };
}
