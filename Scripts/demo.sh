#!/bin/sh
# The main job on sample conversations, with the tool that $TOOL names (`make demo` builds it for release).
# Works on the default store, in the user's data directory; AGENT_SESSIONS_STORE=sqlite:other.db chooses another.
set -eu

: "${TOOL:?set TOOL to the agent-sessions program, or run 'make demo'}"

step() { printf '\n==> %s\n' "$*"; }

step "agent-sessions demo"
"$TOOL" demo

# Another process, so what is listed now was read back from the store.
step "agent-sessions list --limit 5"
"$TOOL" list --limit 5

printf '\nThe tool is at %s\nTry: agent-sessions --help\n' "$TOOL"
