# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1
# DAHDI's echo canceller is called for the channels that have one, and is given
# what was on the line when the echo came: the plug returns our own octets, so a
# probe on the call sees one stream twice, a few octets apart.
. "$VM_TESTS/guest/span.sh"

trace=/sys/kernel/tracing
calls() { grep -c __dahdi_ec_chunk $trace/trace; }
called() { [ "$(calls)" -gt 300 ]; }

modprobe dahdi auto_assign_spans=1
modprobe dahdi_echocan_mg2
ok "the driver comes up" load_driver
ok "dahdi_cfg configures a canceller" configure 'span=1,1,0,ccs,hdb3\nbchan=1-31\nechocanceller=mg2,1-31'
ok "no alarm" "$span_test" wait-alarms 1 OK 60
mount -t tracefs trace $trace 2>/dev/null
echo 'p:canceller dahdi:__dahdi_ec_chunk channel=%di received=+0(%si):u64 sent=+0(%cx):u64' >$trace/kprobe_events
echo 1 >$trace/events/kprobes/canceller/enable

ok "a channel without one passes data" "$span_test" data 5 1 2000 loop
is "nobody called for it" "$(calls)" 0
cat >/run/talk.py <<'PYTHON'
import fcntl, os, random, struct

AUDIOMODE, ECHOCANCEL, SPECIFY = (0x4004da00 | n for n in (32, 33, 38))
device = os.open('/dev/dahdi/channel', os.O_RDWR)
fcntl.ioctl(device, SPECIFY, struct.pack('i', 5))
fcntl.ioctl(device, AUDIOMODE, struct.pack('i', 1))
fcntl.ioctl(device, ECHOCANCEL, struct.pack('i', 128))
random.seed(7)
while True:
    os.write(device, random.randbytes(160))
    os.read(device, 160)
PYTHON
python3 /run/talk.py &
talker=$!
ok "a channel with one has it called each millisecond" eventually 60 called
kill $talker
echo 0 >$trace/events/kprobes/canceller/enable
lag=$(python3 - $trace/trace <<'PYTHON'
import re, sys

received, sent = b'', b''
for line in open(sys.argv[1]):
    found = re.search(r'received=(\d+) sent=(\d+)', line)
    if found:
        received += int(found[1]).to_bytes(8, 'little')
        sent += int(found[2]).to_bytes(8, 'little')
# Where most was silence before the talk began, any lag fits: the end decides.
end = len(sent) - 64
for lag in range(64):
    if received[end - 800 + lag:end + lag] == sent[end - 800:end]:
        print(lag)
        break
PYTHON
)
echo "# the echo is $lag octets behind what the canceller is given"
ok "what it is given was sent less than 2 ms before the echo" [ "${lag:-99}" -lt 16 ]
echo >$trace/kprobe_events
done_testing
