#!/bin/sh
# usage: Scripts/outside-conformance.sh
# Makes a package outside this one in a temporary folder: a backend with a test target of ten lines that runs the
# conformance kit through the public products, and fails where it does not build or does not pass.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
folder=$root/.build-outside/conformance
# Shared with the other package outside, so that their dependencies are compiled once.
build=$root/.build-outside/build
mkdir -p "$folder/Sources/Mine" "$folder/Tests/MineTests"

cat >"$folder/Package.swift" <<SWIFT
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Mine",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-agent-sessions", path: "$root")],
    targets: [
        .target(name: "Mine", dependencies: [.product(name: "AgentSessions", package: "swift-agent-sessions")]),
        .testTarget(
            name: "MineTests",
            dependencies: [
                "Mine",
                .product(name: "AgentSessionsConformance", package: "swift-agent-sessions"),
                .product(name: "AgentSessionsConformanceTesting", package: "swift-agent-sessions"),
            ]),
    ]
)
SWIFT
cp "$root"/Conformance/Examples/JSONLines/*.swift "$folder/Sources/Mine/"
sed 's/AgentSessionsJSONLinesExample/Mine/' "$root/Tests/AgentSessionsJSONLinesTests/ConformanceTests.swift" \
    >"$folder/Tests/MineTests/ConformanceTests.swift"

lines=$(grep -c . "$folder/Tests/MineTests/ConformanceTests.swift")
if [ "$lines" -gt 10 ]; then
    echo "error: the test target of a backend author takes $lines lines, more than ten" >&2
    exit 1
fi
log=$folder/test.log
if ! (cd "$folder" && swift test --scratch-path "$build") >"$log" 2>&1; then
    grep -E 'error:|✘' "$log" >&2 || tail -n 40 "$log" >&2
    echo "error: the conformance kit does not pass in a package outside this one" >&2
    exit 1
fi
program=$build/debug/MinePackageTests.xctest
linked=$( (ldd "$program" 2>/dev/null || otool -L "$program") | grep -iE 'libsqlite3|libpq|liblmdb' || true)
if [ -n "$linked" ]; then
    echo "error: the conformance kit was given the library of an engine: $linked" >&2
    exit 1
fi
tail -n 1 "$log"
echo "outside package: a backend of its own is conformant, by a test target of $lines lines"
