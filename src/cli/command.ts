/** A command of the command line. `argv` are the words after its name; resolves to the exit status. */
export type Command = (argv: readonly string[], credential: string | undefined) => Promise<number>;
