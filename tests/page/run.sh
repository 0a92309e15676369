#!/usr/bin/env bash
# Runs the report page's browser tests.
#   run.sh PAGE.html FOLDER [TEST...]     the assembled page; the folder that tools/fetch_browser_tests.sh filled; some
#                                         of the files *.test.mjs instead of all
# Exit status 77: skipped, because something they need is not on this machine.
set -euo pipefail

page=$(realpath "${1:?usage: run.sh PAGE.html FOLDER [TEST...]}")
folder=$(realpath -m "${2:?usage: run.sh PAGE.html FOLDER [TEST...]}")
skip() {
  echo "skipped: $*" >&2
  exit 77
}

command -v node > /dev/null || skip "node is not installed (apt-get install nodejs)"
[ -x "${SAESCOPE_CHROMIUM:-/usr/bin/chromium}" ] || skip "there is no browser (apt-get install chromium)"
[ -d "$folder/node_modules/playwright-core" ] || skip "run tools/fetch_browser_tests.sh $folder"
export SAESCOPE_PAGE=$page SAESCOPE_PLAYWRIGHT=$folder
shift 2
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- *.test.mjs
exec node --test "$@"
