import { messageOf } from '../base/errors.ts';

// `cordon WORD …`: each word is a file of its own, loaded when it is asked for.
const words: Readonly<Record<string, () => Promise<(argv: string[]) => Promise<number>>>> = {
  sandbox: async () => (await import('./sandbox.ts')).sandboxCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
};

async function main([word = '', ...argv]: string[]): Promise<number> {
  const load = words[word];
  if (load === undefined) {
    process.stderr.write(`cordon: usage: cordon ${Object.keys(words).join('|')} …\n`);
    return 2;
  }
  return (await load())(argv);
}

main(process.argv.slice(2)).then(
  status => (process.exitCode = status),
  (error: unknown) => {
    process.stderr.write(`cordon: ${messageOf(error)}\n`);
    process.exitCode = 1;
  },
);
