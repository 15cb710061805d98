# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card "t1,port=${ports[0]},peer=${ports[1]}" --beside "$here/host/exchange t1 ${ports[1]} ${ports[0]}" --network 'guestfwd=tcp:10.0.2.100:7000-cmd:$BUILD/vm-door $VM_OUT/exchange.sock'
# stack-e1.sh on a T1: mu-law, NI2, 23 bearer channels.
. "$VM_TESTS/guest/stack.sh"
bring_up t1
calls "$VM_TESTS/guest/stack.py"
done_testing
