# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --card t1
# Counters, errored seconds and slips, of both lines, through sysfs and DAHDI.
. "$VM_TESTS/guest/span.sh"

t1e1() { cat "$(readlink -f /sys/bus/pci/drivers/tl_t1e1/0* | sort | sed -n "$(($1 + 1))p")/t1e1/$2"; }
at_least() { [ "$(t1e1 "$1" "$2")" -ge "$3" ]; }
seconds_pass() { local was; was=$(t1e1 "$1" milliseconds); eventually 30 at_least "$1" milliseconds $((was + $2 * 1000)); }
counted() { eventually 20 at_least "$1" "$2" "$3"; }

ok "the driver comes up" load_driver settle_ms=500
ok "dahdi_cfg configures both" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31\nspan=2,0,0,esf,b8zs\nbchan=32-55'
ok "the E1 has no alarm" "$span_test" wait-alarms 1 OK 60
ok "the T1 has no alarm" "$span_test" wait-alarms 2 OK 60
# The AIS that is sent until octets flow came back through the loopback plug: the second that had some of it is to be over.
ok "a second passes" seconds_pass 0 1
dahdi_maint -s 1 -r >/dev/null
dahdi_maint -s 2 -r >/dev/null
ok "and another" seconds_pass 0 1
is "the E1 has no errored second" "$(t1e1 0 errored_seconds)" 0

for n in 0 1; do
	attend $n
	card @$n errors framing 3 >/dev/null
	ok "card $n: framing errors are counted" counted $n framing_errors 3
	card @$n errors code 1000 >/dev/null
	ok "card $n: code violations are counted" counted $n code_violations 1000
	card @$n errors crc 5 >/dev/null
	ok "card $n: CRC errors are counted" counted $n crc_errors 5
	is "card $n: none too many" "$(t1e1 $n framing_errors) $(t1e1 $n code_violations) $(t1e1 $n crc_errors)" '3 1000 5'
	ok "card $n: they made errored seconds" counted $n errored_seconds 1
	is "card $n: but no severe one" "$(t1e1 $n severely_errored_seconds)" 0
	card @$n errors crc 900 >/dev/null
	ok "card $n: 900 CRC errors make a severely errored second" counted $n severely_errored_seconds 1
	card @$n slip + >/dev/null
	ok "card $n: a slip is counted" counted $n slips 1
done
attend 0
card errors ebit 7 >/dev/null
ok "E bits of the E1 are counted" counted 0 ebit_errors 7
counters=$("$span_test" counters 1)
echo "# $counters"
is "DAHDI has the same counts" "fe=$(value fe "$counters") fas=$(value fas "$counters") cv=$(value cv "$counters") bpv=$(value bpv "$counters") crc=$(value crc "$counters") ebit=$(value ebit "$counters")" \
	'fe=3 fas=3 cv=1000 bpv=1000 crc=905 ebit=7'
ok "dahdi_maint resets them" dahdi_maint -s 1 -r
is "they are zero" "$(t1e1 0 crc_errors) $(t1e1 0 errored_seconds)" '0 0'
is "the T1's are kept" "$(t1e1 1 crc_errors)" 905

card line los on >/dev/null
ok "loss of signal makes severely errored seconds" counted 0 severely_errored_seconds 1
card line los off >/dev/null
ok "the E1 recovers" "$span_test" wait-alarms 1 OK 60
done_testing
