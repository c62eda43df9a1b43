#!/bin/sh
# usage: Scripts/outside-package.sh
# Builds and runs a package outside this one that depends on the product AgentSessionsSQLite alone, and fails where it
# needs the C library of another engine or sees a warning about one. It also uses a package with an SQLite of its own,
# whose C target is named CSQLite as that of SQLiteNIO is: names of targets are global in a build, so a target of ours
# that had that name would stop it. The build folder is kept for the next run, and shared with the other package outside,
# so that their dependencies are compiled once.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
# Beside the build folder that is in use anyway, so that `make clean` takes it along.
folder=$root/.build-outside/sqlite
build=$root/.build-outside/build
other=$folder/sqlite-of-its-own
mkdir -p "$folder/Sources/Outside" "$other/Sources/CSQLite/include" "$other/Sources/SQLiteOfItsOwn"

cat >"$folder/Package.swift" <<SWIFT
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Outside",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-agent-sessions", path: "$root"),
        .package(path: "sqlite-of-its-own"),
    ],
    targets: [
        .executableTarget(
            name: "Outside",
            dependencies: [
                .product(name: "AgentSessionsSQLite", package: "swift-agent-sessions"),
                .product(name: "SQLiteOfItsOwn", package: "sqlite-of-its-own"),
            ],
            // With which JSON values have members here only because AgentSessions re-exports their module.
            swiftSettings: [.enableUpcomingFeature("MemberImportVisibility")])
    ]
)
SWIFT

cat >"$other/Package.swift" <<'SWIFT'
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "sqlite-of-its-own",
    products: [.library(name: "SQLiteOfItsOwn", targets: ["SQLiteOfItsOwn"])],
    targets: [.target(name: "CSQLite"), .target(name: "SQLiteOfItsOwn", dependencies: ["CSQLite"])]
)
SWIFT
# With a prefix to every symbol, as an amalgamation has that is to live beside the system's library.
echo 'const char *own_sqlite3_libversion(void);' >"$other/Sources/CSQLite/include/CSQLite.h"
echo 'const char *own_sqlite3_libversion(void) { return "an SQLite of its own"; }' >"$other/Sources/CSQLite/sqlite3.c"
cat >"$other/Sources/SQLiteOfItsOwn/Version.swift" <<'SWIFT'
import CSQLite

public func version() -> String { String(cString: own_sqlite3_libversion()) }
SWIFT

cat >"$folder/Sources/Outside/main.swift" <<'SWIFT'
import AgentSessions
import AgentSessionsSQLite
import SQLiteOfItsOwn

let store = try await SQLiteSessionStore.open(SQLiteConfiguration(path: CommandLine.arguments[1]))
let service = PersistentSessionService(store)
let session = try await service.create(actorName: "outside/package", metadata: ["from": "outside"])
guard session.metadata["from"]?.stringValue == "outside" else { fatalError("the metadata is \(session.metadata)") }
_ = try await service.appendMessage(NewMessage(.user, "Hello from outside."), to: session.id)
print(try await service.lastMessages(1, in: session.id).messages.map(\.content).joined(), version())
await store.close()
SWIFT

log=$folder/build.log
if ! (cd "$folder" && swift build --scratch-path "$build") >"$log" 2>&1; then
    cat "$log" >&2
    echo "error: a package that depends on AgentSessionsSQLite alone does not build" >&2
    exit 1
fi
if grep -iE 'warning: .*(libpq|postgres|lmdb)|swift-agent-sessions.*warning:' "$log" >&2; then
    echo "error: a package that depends on AgentSessionsSQLite alone sees these warnings" >&2
    exit 1
fi

program=$build/debug/Outside
linked=$( (ldd "$program" 2>/dev/null || otool -L "$program") | grep -iE 'libpq|liblmdb' || true)
compiled=$(find "$build/debug/" -maxdepth 2 \( -name 'CAgentSessionsLibPQ*' -o -name 'CAgentSessionsLMDB*' \) -print)
if [ -n "$linked$compiled" ]; then
    echo "error: a package that depends on AgentSessionsSQLite alone was given: $linked $compiled" >&2
    exit 1
fi

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
answer=$("$program" "$data/outside.db")
if [ "$answer" != "Hello from outside. an SQLite of its own" ]; then
    echo "error: the outside package stored a message and read back: $answer" >&2
    exit 1
fi
echo "outside package: AgentSessionsSQLite alone builds and runs, without libpq and liblmdb, beside another CSQLite"
