# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card "e1,port=${ports[0]},peer=${ports[1]}" --card "e1,port=${ports[2]},peer=${ports[3]}" --beside "$here/host/exchange e1 ${ports[1]} ${ports[0]} ${ports[3]} ${ports[2]}" --network 'guestfwd=tcp:10.0.2.100:7000-cmd:$BUILD/vm-door $VM_OUT/exchange.sock'
# Two cards and trunkd on both: a call on one goes on while the other is gone, whichever is the first.
. "$VM_TESTS/guest/stack.sh"
bring_up two-e1
calls "$VM_TESTS/guest/stack-faults.py" TickFailOver
done_testing
