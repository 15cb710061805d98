# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1
# The line room on a card: its alarms, and that the card goes away and comes back. Time runs slowly, so that a busy
# host costs no octets.
DRIVER=tl_t1e1
. "$VM_TESTS/guest/span.sh"
address=$(basename "$(dirname "$(grep -l 0xe159 /sys/bus/pci/devices/*/vendor)")")

# says LINE: the program's latest word on alarms, or an answer, becomes LINE.
says() { [ "$(tail -n 1 /tmp/watched)" = "$1" ]; }
alarms() { [ "$(grep ^alarms /tmp/watched | tail -n 1)" = "alarms $1" ]; }
answered() { says "octets good" || says "octets bad"; }
# A host that stands still for a while costs octets; a span that loses some costs them each time.
octets() {
	for _ in 1 2 3 4 5 6 7 8; do
		echo "octets 8000" >&"${watch[1]}"
		eventually 60 answered || return 1
		says "octets good" && return
		echo >>/tmp/watched
	done
	return 1
}

ok "the driver comes up" load_driver settle_ms=300
card period 4000 2000 >/dev/null
ok "dahdi_cfg configures it" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16\n'
ok "the card has no alarm" "$span_test" wait-alarms 1 OK 60
coproc watch { exec "$BUILD/vm-guest/dahdi-watch" -d 16 1 >/tmp/watched; }
ok "the span opens, and no alarm is told" eventually 60 alarms OK
ok "30 timeslots come back byte-exact" octets
for what in los/RED lfa/RED ais/BLUE rai/YELLOW; do
	card line "${what%/*}" on >/dev/null
	ok "${what%/*}: told as ${what#*/}" eventually 60 alarms "${what#*/}"
	card line "${what%/*}" off >/dev/null
	ok "${what%/*}: told to be over" eventually 60 alarms OK
done
ok "octets are byte-exact again" octets

echo 1 >"/sys/bus/pci/devices/$address/remove"
ok "the card is removed: not open" eventually 60 alarms NOTOPEN
echo 1 >/sys/bus/pci/rescan
ok "it is there again" eventually 20 [ -e "/sys/bus/pci/drivers/tl_t1e1/$address" ]
card period 4000 2000 >/dev/null
ok "dahdi_cfg configures it again" eventually 20 configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16\n'
ok "the span is opened again by itself" eventually 60 alarms OK
ok "octets are byte-exact on the card that came back" octets
echo end >&"${watch[1]}"
ok "the program ends" eventually 20 says end
ok "and leaves the driver free to unload" eventually 10 rmmod tl_t1e1
sed 's/^/# /' /tmp/watched
done_testing
