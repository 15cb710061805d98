# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1
# The line test on a card with a loopback plug, as an installer runs it before
# the carrier comes.
. "$VM_TESTS/guest/span.sh"
DRIVER=tl_t1e1
line_test=$BUILD/release/line-test

ok "the driver comes up" load_driver settle_ms=500
# A millisecond of the line waits for one of the guest's own, which moves 30 timeslots in it: no octet is missed.
card period 2000 1000 >/dev/null
ok "dahdi_cfg configures a PRI" configure 'span=1,0,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16'
ok "the span has no alarm" "$span_test" wait-alarms 1 OK 60
ok "thirty timeslots are good" "$line_test" --dahdi 1 --d-channel 16 --seconds 3
report=$("$line_test" --dahdi 1 --d-channel 16 --seconds 4 --slots 1,31 --put-errors 10 --put-slips 1 --json)
echo "# $report"
is "the errors that were put in are found" "$(grep -o '"errors":10,' <<<"$report" | wc -l)" 2
is "and the slips" "$(grep -o '"slips":1,' <<<"$report" | wc -l)" 2
card line los on >/dev/null
ok "the alarm comes" "$span_test" wait-alarms 1 RED 60
not_ok "a line without a signal is not good" "$line_test" --dahdi 1 --d-channel 16 --seconds 2
done_testing
