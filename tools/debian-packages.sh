#!/bin/sh
# Install the Debian packages listed in $1 that are missing, when we may; else say which.
set -eu
command -v dpkg-query >/dev/null || { echo "No Debian here: install the like of: $(tr '\n' ' ' < "$1")" >&2; exit 0; }
missing=""
for package in $(cat "$1"); do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
as_root=""
if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then as_root="sudo -n"; else
        echo "MISSING Debian packages:$missing" >&2
        echo "Tests that need them will be skipped. To install: sudo apt-get install$missing" >&2
        exit 0
    fi
fi
export DEBIAN_FRONTEND=noninteractive
echo "Installing Debian packages:$missing" >&2
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root apt-get install -qq -y --no-install-recommends $missing >/dev/null
