// What every page gets: news as they come, links that change only a part, keys.
// Without any of it each page works as it is: links lead somewhere, forms are sent.

import { live } from "./live.js";
import { parts } from "./parts.js";
import { keys } from "./keys.js";
import { copying } from "./copying.js";

keys();
copying();
parts();
live();
