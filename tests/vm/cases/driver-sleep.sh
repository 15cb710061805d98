# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1,cas --far-end 'e1 cas' --timeout 200
# Suspend and resume with a channel open: the framer's settings, signalling
# bits and data are back without dahdi_cfg.
. "$VM_TESTS/guest/span.sh"

seen() { [ "$(far_end 0 seen "$1")" = "$2" ]; }

ok "the driver comes up" load_driver settle_ms=300
ok "dahdi_cfg configures CAS" configure 'span=1,1,0,cas,hdb3\ncas=1-15:1101\ncas=17-31:1101'
ok "no alarm" "$span_test" wait-alarms 1 OK 60
ok "idle bits are sent" eventually 20 seen 7 d
before=$(for r in 1c 1d 1e 20 21 36 37 3e 46; do card peek falc $r; done | tr '\n' ' ')
coproc holder { exec "$span_test" hold 9; }
echo devices >/sys/power/pm_test
ok "devices are put to sleep and woken" sh -c 'echo mem >/sys/power/state'
ok "no alarm after it" "$span_test" wait-alarms 1 OK 60
after=$(for r in 1c 1d 1e 20 21 36 37 3e 46; do card peek falc $r; done | tr '\n' ' ')
is "the framer is set as before" "$after" "$before"
ok "idle bits are sent again" eventually 20 seen 7 d
eval "exec ${holder[1]}>&-"
wait "$holder_PID" 2>/dev/null
ok "30 timeslots are byte-exact" "$span_test" data 1 15 4000
done_testing
