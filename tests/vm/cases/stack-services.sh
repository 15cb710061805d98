# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --systemd --card "e1,port=${ports[0]},peer=${ports[1]}" --beside "$here/host/exchange e1 ${ports[1]} ${ports[0]}" --network 'guestfwd=tcp:10.0.2.100:7000-cmd:$BUILD/vm-door $VM_OUT/exchange.sock' --timeout 1500
# The product as a machine's services: what `make install` makes, the cards by trunk-setup, the configuration by the
# README's own words, trunkd and deskd under systemd.
. "$VM_TESTS/guest/stack.sh"
top=$VM_TESTS/../..
# readme STEP: runs the commands that the README gives under its step of that number.
readme() { bash -e <(sed -n "/^\*\*$1\. /,/^\*\*$(($1 + 1))\. /p" "$top/README.md" | sed -n '/^```$/,/^```$/{/^```$/!p}'); }

card period 4000 2000 >/dev/null
ok "the files are put in place" sh -c "tar -C '$BUILD/vm-root' -cf - . | tar -C / -xf - --keep-directory-symlink --no-same-owner"
ok "the running system hears of them" "$top/tools/systemd/settle"
# The driver's own installation needs DKMS: modprobe is told where it is. Nothing but DAHDI's driver knows the card's
# number, so udev has loaded that one.
cp "$BUILD/driver/tl_t1e1.ko" /usr/lib/trunkline/
echo "install tl_t1e1 grep -q '^tl_t1e1 ' /proc/modules || /sbin/insmod /usr/lib/trunkline/tl_t1e1.ko settle_ms=300" \
	>/etc/modprobe.d/here.conf
# Status 1: the line, which takes its time, is not up yet.
sets() { /usr/sbin/trunk-setup set --country de --driver tl_t1e1 --yes --seconds 0.5 >/run/setup || [ $? = 1 ]; }
ok "trunk-setup configures the card" sets
ok "and tells that DAHDI's own driver was there first" grep -q "wcte11xp holds the card" /run/setup
ok "which goes, as it says" rmmod wcte11xp
python3 -c 'import sys; sys.path[:0] = sys.argv[1:]; import outside; outside.network_up()' "$VM_TESTS/guest" "$top/tests/integration"
ok "the README's secrets and addresses fit" readme 6
# A guest's time passes while its host runs others, which looks like work: no call is refused for it.
sed -i 's/^\[media\]$/&\nload_limit_us = 1000000/' /etc/trunkline/trunkd.conf
ok "the README's services start" readme 7
journalctl --no-pager -o short-monotonic -u trunkline-cards -u trunkd -u deskd | sed 's/^/# /'
[ $failures = 0 ] || done_testing
calls "$VM_TESTS/guest/services.py"
done_testing
