import * as z from 'zod';

// Must be the first import of the bundle. zod compiles its parsers with `new Function` where it may; under this
// panel's content security policy already the attempt is a violation.
z.config({ jitless: true });
