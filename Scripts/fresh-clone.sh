#!/bin/sh
# usage: Scripts/fresh-clone.sh [TARGET…]
# Clones the commit at HEAD into a temporary folder and runs `make demo` and `make test` there, or the targets named:
# shows that what is committed is enough. What isn't committed takes no part.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
[ $# -gt 0 ] || set -- demo test

folder=$(mktemp -d "${TMPDIR:-/tmp}/agent-sessions-clone.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

if [ -n "$(git -C "$root" status --porcelain)" ]; then
    echo "note: the work tree has changes that aren't committed; they take no part" >&2
fi
echo "==> cloning $(git -C "$root" log -1 --format='%h %s') into $folder"
git clone --quiet "$root" "$folder/clone"

# The demo's default store goes to a data directory of its own, as on a machine that never ran it.
XDG_DATA_HOME=$folder/data
export XDG_DATA_HOME
unset AGENT_SESSIONS_STORE

for target in "$@"; do
    echo "==> make $target"
    started=$(date +%s)
    make -C "$folder/clone" "$target"
    echo "==> make $target took $(($(date +%s) - started)) s"
done

left=$(git -C "$folder/clone" status --porcelain)
if [ -n "$left" ]; then
    echo "error: the build left files that .gitignore doesn't name:" >&2
    echo "$left" >&2
    exit 1
fi
echo "==> a fresh clone passes: $*"
