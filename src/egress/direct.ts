import type { Socket } from 'node:net';
import type { Admission } from './admission.ts';
import { holdInput } from './heldInput.ts';
import type { HttpFront } from './httpFront.ts';
import { tunnel, unrecognizedName } from './tunnel.ts';

/**
 * Serves a connection that a program made to `host` as it thinks, without knowing of a proxy. The same rules hold.
 * Never rejects.
 */
export async function serveDirect(
  client: Socket,
  host: string,
  port: number,
  admission: Admission,
  http: HttpFront,
): Promise<void> {
  // HTTP has words for a refusal; each request is decided about there.
  if (port === 80) return http.serve(client, { host, port });
  const held = holdInput(client);
  const admitted = await admission.admit({ client, host, port, hungUp: held.hungUp, use: 'bytes' });
  held.release();
  if (admitted.kind === 'open') return tunnel(client, admitted, admission, http);
  client.end(port === 443 ? unrecognizedName : Buffer.alloc(0));
  client.resume();
}
