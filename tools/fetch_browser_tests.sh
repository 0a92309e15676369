#!/usr/bin/env bash
# Fetches what the report page's tests drive the browser with, playwright-core, to $1/node_modules. It brings no browser; the
# tests use the system's Chromium (Debian package chromium).
exec "$(dirname "$0")/fetch_npm_package.sh" playwright-core 1.65.1 \
  hqPpz7blSMPxWVdoeE1yiBSzXsKiVOd2k+kjCvmUywD2GPO2Dd9HfcWnq9NN0GHbNZDFgZ9JfBFr+X5/BLo0qw== \
  "${1:?usage: fetch_browser_tests.sh FOLDER}/node_modules/playwright-core"
