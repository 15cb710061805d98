# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm:
# vm-status: 125
# A complaint of the guest's kernel fails the run although the script succeeds.
echo "WARNING: said on purpose" >/dev/kmsg
echo "ok - the kernel was made to complain"
