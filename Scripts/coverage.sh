#!/bin/sh
# usage: Scripts/coverage.sh BUILD_FOLDER MINIMUM
# Prints which lines of Sources/ the last `swift test --enable-code-coverage` in BUILD_FOLDER ran, a file a row,
# and fails when the total is below MINIMUM percent.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: Scripts/coverage.sh BUILD_FOLDER MINIMUM" >&2
    exit 64
fi
build=$1
minimum=$2
root=$(cd "$(dirname "$0")/.." && pwd -P)

# The profile's format is that of the compiler: llvm-cov must be the toolchain's own, not the system's.
if [ "$(uname -s)" = Darwin ]; then
    llvm_cov=$(xcrun --find llvm-cov)
else
    llvm_cov=$(dirname "$(readlink -f "$(command -v "${SWIFT:-swift}")")")/llvm-cov
fi
profile=$build/codecov/default.profdata
for needed in "$llvm_cov" "$profile"; do
    if [ ! -e "$needed" ]; then
        echo "error: $needed isn't there; run 'make coverage'" >&2
        exit 1
    fi
done

# The test program, and the tool, which the tests run as a process of its own.
set --
for bundle in "$build"/*.xctest; do
    if [ -d "$bundle" ]; then
        for program in "$bundle"/Contents/MacOS/*; do set -- "$@" "$program"; done
    elif [ -f "$bundle" ]; then
        set -- "$@" "$bundle"
    fi
done
if [ $# -ne 1 ]; then
    echo "error: $# test programs in $build, where one is expected" >&2
    exit 1
fi
if [ -x "$build/agent-sessions" ]; then
    set -- "$@" -object "$build/agent-sessions"
fi

report=$(mktemp)
trap 'rm -f "$report"' EXIT
"$llvm_cov" export -format=lcov -instr-profile="$profile" "$@" "$root/Sources" >"$report"

# lcov: SF starts a file, DA:LINE,COUNT is a line that could run.
awk -v root="$root/" -v minimum="$minimum" '
    function row(name, hit, all) {
        printf "%-76s %7d %7d %7.2f %%\n", name, all, all - hit, (all ? 100 * hit / all : 100)
    }
    BEGIN { printf "%-76s %7s %7s %9s\n", "file", "lines", "missed", "covered" }
    /^SF:/ { name = substr($0, 4); if (index(name, root) == 1) name = substr(name, length(root) + 1); files[++n] = name }
    /^DA:/ { split(substr($0, 4), field, ","); lines[name]++; all++; if (field[2] + 0 > 0) { hits[name]++; hit++ } }
    END {
        if (!all) { print "error: no line of Sources/ in the profile" > "/dev/stderr"; exit 1 }
        for (i = 1; i <= n; i++) row(files[i], hits[files[i]], lines[files[i]])
        row("total", hit, all)
        if (100 * hit < minimum * all) {
            printf "error: line coverage of Sources/ is %.2f %%, below %s %%\n", 100 * hit / all, minimum > "/dev/stderr"
            exit 1
        }
        printf "line coverage of Sources/ is %.2f %%, at least %s %% are asked for\n", 100 * hit / all, minimum
    }
' "$report"
