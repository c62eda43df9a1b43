#!/bin/sh
# Installs those of the Debian packages named as arguments that are missing. Asks nothing of the network when none is.
set -eu

if [ "$(uname -s)" = Darwin ]; then
    # The SQLite of the macOS SDK serves; the others come from Homebrew.
    formulas=
    for package in "$@"; do
        case $package in
            libsqlite3-dev) ;;
            libpq-dev) formulas="$formulas libpq" ;;
            liblmdb-dev) formulas="$formulas lmdb" ;;
            *) formulas="$formulas $package" ;;
        esac
    done
    missing=
    for formula in $formulas; do
        brew list --versions "$formula" >/dev/null 2>&1 || missing="$missing $formula"
    done
    if [ -n "$missing" ]; then
        echo "error: missing system packages; install them with: brew install$missing" >&2
        exit 1
    fi
    echo "system packages: nothing is missing"
    exit 0
fi

# Succeeds when the C header that the package is wanted for can be found, for systems that have no dpkg.
has_header() {
    case $1 in
        libsqlite3-dev) header=sqlite3.h ;;
        libpq-dev) header=libpq-fe.h ;;
        liblmdb-dev) header=lmdb.h ;;
        *) return 1 ;;
    esac
    for folder in /usr/include /usr/local/include /usr/include/postgresql /usr/include/pgsql; do
        [ ! -e "$folder/$header" ] || return 0
    done
    return 1
}

is_there() {
    if command -v dpkg-query >/dev/null 2>&1; then
        # A package that was removed is still known to dpkg, so its status is what counts.
        status=$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) || status=
        [ "$status" != "install ok installed" ] || return 0
    fi
    has_header "$1"
}

missing=
for package in "$@"; do
    is_there "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "system packages: all there ($*)"
    exit 0
fi

echo "system packages: missing$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "error: this system has no apt-get; install what Debian calls$missing by its own means" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    # Without a terminal nobody can type a password.
    if [ -t 0 ]; then as_root=sudo; else as_root="sudo -n"; fi
else
    echo "error: neither root nor sudo here; ask an administrator to run: apt-get install$missing" >&2
    exit 1
fi

install() {
    # The words of $as_root and $missing are to be split.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}
# A fresh machine has no package lists, or old ones; fetch them only then.
if ! install; then
    echo "system packages: fetching the package lists, then trying once more"
    $as_root apt-get update
    install || {
        echo "error: could not install$missing; install them by hand and try again" >&2
        exit 1
    }
fi
