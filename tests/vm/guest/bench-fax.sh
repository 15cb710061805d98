# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# What faxes cost in instructions (run --icount): a nanosecond of a thread is one. An E1 full, a round, in the guest's own
# memory: while one waits for the host's files this clock runs away.
cd /tmp && "$BUILD"/release/tests/bench/fax 1 1 >"$VM_OUT"/fax.json
