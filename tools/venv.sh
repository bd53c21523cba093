#!/bin/sh
# Make a virtual environment with $1 in $2. Debian keeps venv in a package of its own.
set -eu
"$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Muhafiz needs Python 3.11 or newer; $1 is older. Try: make run PYTHON=python3.12" >&2
    exit 2
}
if ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
    echo python3-venv > "${TMPDIR:-/tmp}/muhafiz-venv.$$"
    sh "$(dirname "$0")/debian-packages.sh" "${TMPDIR:-/tmp}/muhafiz-venv.$$"
    rm -f "${TMPDIR:-/tmp}/muhafiz-venv.$$"
fi
exec "$1" -m venv "$2"
