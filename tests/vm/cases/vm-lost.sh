# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --beside "$here/host/say-lost"
# vm-status: 125
# An access that QEMU drops fails the run although the script succeeds: QEMU's words for it, said on purpose.
touch /out/say-lost
until [ -e /out/said-lost ]; do read -rt 0.1 <> <(:) || :; done
echo "ok - QEMU has said it"
