# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --icount
# The line room over DAHDI: two spans back to back, octets, frames, CAS, alarms.
. "$VM_TESTS/guest/span.sh"
line=$BUILD/vm-guest/dahdi-line

# spans CHANNELS LINES: two dynamic spans looped to one another.
spans() {
	configure "dynamic=loc,1:0,$1,0\ndynamic=loc,1:1,$1,0\n$2"
}
ok "DAHDI loads" modprobe dahdi auto_assign_spans=1
ok "its parts load" modprobe -a dahdi_dynamic_loc dahdi_echocan_mg2
ok "two E1 with D-channels" spans 31 \
	'bchan=1-15,17-31,32-46,48-62\ndchan=16,47\nechocanceller=mg2,1-15,17-31,32-46,48-62\n'
"$line" -d 16 1 2 300 || failures=1
echo "# one system call a channel"
"$line" -d 16 -p 1 2 100 || failures=1
echo "# echo cancellers"
"$line" -d 16 -e 1 2 50 || failures=1
echo "# a media thread that was kept waiting"
"$line" -d 16 -w 100 1 2 100 || failures=1
not_ok "a channel is refused to a second program" "$line" -d 16 1 1 1

dahdi_cfg -s
ok "two E1 with CAS" spans 31 'cas=1-15:1101\ncas=17-31:1101\ncas=32-46:1101\ncas=48-62:1101\n'
"$line" -c 1 2 200 || failures=1
begins() {
	for i in 1 2 3 4 5 6 7 8 9; do
		sleep 0.00$i
		timeout 60 "$line" -c 1 2 20 >/tmp/begun || { cat /tmp/begun; return 1; }
	done
}
ok "the spans fall into step, however apart they begin" begins
not_ok "a D-channel is refused where there is none" "$line" -d 16 1 2 1

dahdi_cfg -s
ok "two T1 with D-channels" spans 24 'bchan=1-23,25-47\ndchan=24,48\n'
"$line" -t -d 24 1 2 200 || failures=1
dahdi_cfg -s
ok "two T1 with CAS" spans 24 'cas=1-24:0000\ncas=25-48:0000\n'
"$line" -t -c 1 2 200 || failures=1
not_ok "an E1 is not taken for a T1" "$line" -d 24 1 2 1
done_testing
