# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card "e1,port=${ports[0]},peer=${ports[1]}" --beside "$here/host/exchange e1 ${ports[1]} ${ports[0]}" --network 'guestfwd=tcp:10.0.2.100:7000-cmd:$BUILD/vm-door $VM_OUT/exchange.sock' --timeout 1500
# The line pulled in a call, trunkd killed in a call; the card taken out in a call and put back, and the driver exchanged
# below a running trunkd.
. "$VM_TESTS/guest/stack.sh"
bring_up e1
calls "$VM_TESTS/guest/stack-faults.py" Line LineForLong CardAndDriver
done_testing
