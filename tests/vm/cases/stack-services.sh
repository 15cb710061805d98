# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --systemd --card "e1,port=${ports[0]},peer=${ports[1]}" --beside "$here/host/exchange e1 ${ports[1]} ${ports[0]}" --network 'guestfwd=tcp:10.0.2.100:7000-cmd:$VM_TESTS/host/door $VM_OUT/exchange.sock' --timeout 1500
# The product as a machine's services: what `make install` makes, the cards by trunk-setup, the configuration by the
# README's own words, trunkd and deskd under systemd.
. "$VM_TESTS/guest/stack.sh"
top=$VM_TESTS/../..
# readme STEP: runs the commands that the README gives under its step of that number.
readme() { bash -e <(sed -n "/^\*\*$1\. /,/^\*\*$(($1 + 1))\. /p" "$top/README.md" | sed -n '/^```$/,/^```$/{/^```$/!p}'); }

card period 4000 500 >/dev/null
ok "the files are put in place" sh -c "tar -C '$BUILD/vm-root' -cf - . | tar -C / -xf - --keep-directory-symlink --no-same-owner"
ok "the running system hears of them" "$top/tools/systemd/settle"
# The driver's own installation needs DKMS: modprobe is told where it is. Nothing but DAHDI's driver knows the card's
# number, so udev has loaded that one.
cp "$BUILD/driver/tl_t1e1.ko" /usr/lib/trunkline/
echo "install tl_t1e1 grep -q '^tl_t1e1 ' /proc/modules || /sbin/insmod /usr/lib/trunkline/tl_t1e1.ko stall_ms=500 settle_ms=300" \
	>/etc/modprobe.d/here.conf
ok "trunk-setup configures the card" /usr/sbin/trunk-setup set --country de --driver tl_t1e1 --yes >/run/setup
ok "and tells that DAHDI's own driver was there first" grep -q "wcte11xp holds the card" /run/setup
ok "which goes, as it says" rmmod wcte11xp
python3 -c 'import sys; sys.path[:0] = sys.argv[1:]; import outside; outside.network_up()' "$VM_TESTS/guest" "$top/tests/integration"
ok "the README's secrets and addresses fit" readme 6
ok "the README's services start" readme 7
journalctl --no-pager -o short-monotonic -u trunkline-cards -u trunkd -u deskd | sed 's/^/# /'
[ $failures = 0 ] || done_testing
calls "$VM_TESTS/guest/services.py"
done_testing
