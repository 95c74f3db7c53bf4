/** With CI set, properties are tried on the same examples each time; elsewhere on new ones. */

import fc from "fast-check";

if (process.env.CI) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 1 });
