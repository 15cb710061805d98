# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card "e1,port=${ports[0]},peer=${ports[1]}" --beside "$here/host/exchange e1 ${ports[1]} ${ports[0]}" --network 'guestfwd=tcp:10.0.2.100:7000-cmd:$BUILD/vm-door $VM_OUT/exchange.sock'
# From the register to the call: trunkd on /dev/dahdi, our driver, the card, and an exchange outside on its E1.
. "$VM_TESTS/guest/stack.sh"
bring_up e1
calls "$VM_TESTS/guest/stack.py"
calls "$VM_TESTS/guest/demo.py"
done_testing
