# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --env FLAVOUR='sweet and sour'
# vm-status: 7
# The script's status, its environment and what it leaves behind come back.
echo "ok - the script runs under $(uname -r)"
[ "$FLAVOUR" = "sweet and sour" ] && echo "ok - it has its variable"
[ "$(id -u)" = 0 ] && touch /usr/bin/left-in-the-overlay && echo "ok - it may write anywhere"
exit 7
