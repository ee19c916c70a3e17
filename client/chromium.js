/** Where Debian, Ubuntu and others have Chromium; undefined where it is missing. */

import { existsSync } from 'node:fs';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const executablePath = PLACES.find((path) => existsSync(path));
