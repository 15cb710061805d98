# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card "e1,port=${ports[0]},peer=${ports[1]}" --beside "$here/host/plug-exchange ${ports[1]} ${ports[0]}"
# The exchange plugs into the card as it does into a software span: the line is
# up, and the D-channel's frames arrive in DAHDI.
. "$VM_TESTS/guest/span.sh"

ok "$DRIVER comes up" load_driver
ok "dahdi_cfg configures a PRI" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16'
ok "the span has no alarm" "$span_test" wait-alarms 1 OK 60
# Events of the channel, told before it, may come too.
frame=$("$span_test" frame 16 30 | tail -n 1)
echo "# frame: $frame"
# ITU-T Q.921 3.8.2: SABME of the network, SAPI 0, TEI 0, P set.
is "the exchange asks for the D-channel's link" "${frame:0:6}" 02017f
stats=$(card stats)
echo "# card: $stats"
is "no packet is lost" "$(value packets_lost "$stats")" 0
is "none is refused" "$(value packets_refused "$stats")" 0
is "the far end never kept the line waiting too long" "$(value stalls "$stats")" 0
done_testing
