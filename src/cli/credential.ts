/**
 * Takes the provider's key out of the environment, so that no process started later inherits it. Undefined when it is
 * not set, or empty.
 */
export function takeCredential(environment: NodeJS.ProcessEnv): string | undefined {
  const credential = environment[variable];
  delete environment[variable];
  return credential === '' ? undefined : credential;
}

const variable = 'CORDON_API_KEY';
