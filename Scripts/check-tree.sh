#!/bin/sh
# usage: Scripts/check-tree.sh
# Checks what the compiler does not see, as it builds with every trait on and without other packages:
# - every Swift file of a backend, and of its tests, stands inside `#if TRAIT` from its first line to its last, so that
#   nobody needs the C library of an engine that they do not use;
# - every target has a name that no other package's target has, as names of targets are global in a build.
set -eu

cd "$(dirname "$0")/.."
failed=0

traits=$(sed -n 's/.*\.trait(name: "\([A-Za-z0-9]*\)".*/\1/p' Package.swift)
[ -n "$traits" ] || { echo "error: no trait found in Package.swift" >&2; exit 1; }
for trait in $traits; do
    if [ ! -d "Sources/AgentSessions$trait" ]; then
        echo "error: the trait $trait has no backend in Sources/AgentSessions$trait" >&2
        failed=1
        continue
    fi
    find "Sources/AgentSessions$trait" Tests/AgentSessions"$trait"* -name '*.swift' -exec awk -v trait="$trait" '
        function check() {
            if (whole && closed) return
            print "error: " file " does not stand inside `#if " trait "` from its first line to its last" >"/dev/stderr"
            failed = 1
        }
        FNR == 1 {
            if (NR > 1) check()
            file = FILENAME
            depth = closed = 0
            whole = $0 ~ "^#if " trait "( && .*)?$"
        }
        # The condition of the first line is still open, and has no other branch.
        closed || depth == 1 && /^[ \t]*#else/ { whole = 0 }
        /^[ \t]*#if/ { depth++ }
        /^[ \t]*#endif/ { closed = --depth == 0 }
        END { check(); exit failed }' {} + || failed=1
done

# Programs for this repository alone, which no dependant meets, as no product has them.
programs='conformance-selftest|group-commit-probe'
wrong=$(sed -n '/^    targets: \[/,$p' Package.swift | grep -v '\.product(' | grep -oE 'name: "[^"]*"' |
    grep -vE "\"(C?AgentSessions[A-Za-z]*|agent-sessions|$programs)\"" | sort -u || true)
if [ -n "$wrong" ]; then
    echo "error: names of targets begin with AgentSessions or, in C, with CAgentSessions: $wrong" >&2
    failed=1
fi
shipped=$(sed -n '/^    products: \[/,/^    \]/p' Package.swift | grep -E "\"($programs)\"" || true)
if [ -n "$shipped" ]; then
    echo "error: a program for this repository alone is a product: $shipped" >&2
    failed=1
fi
exit "$failed"
