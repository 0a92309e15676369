#!/usr/bin/env bash
# Fetches what the report page's tests drive the browser with, playwright-core, to $1/node_modules. It brings no browser; the
# tests use the system's Chromium (Debian package chromium). A newer one wants a newer Node.js than Debian 12 has (18).
exec "$(dirname "$0")/fetch_npm_package.sh" playwright-core 1.58.2 \
  yZkEtftgwS8CsfYo7nm0KE8jsvm6i/PTgVtB8DL726wNf6H2IMsDuxCpJj59KDaxCtSnrWan2AeDqM7JBaultg== \
  "${1:?usage: fetch_browser_tests.sh FOLDER}/node_modules/playwright-core"
