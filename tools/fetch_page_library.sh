#!/usr/bin/env bash
# Fetches the report page's plotting library, uPlot (MIT), to the folder $1: its dist/ and LICENSE are used.
exec "$(dirname "$0")/fetch_npm_package.sh" uplot 1.6.32 \
  KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw== \
  "${1:?usage: fetch_page_library.sh FOLDER}"
