#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A real browser at a real node: a call over PRI, bridged to a page's standing leg. What the page sends and gets is
looked at below its codecs, octet by octet, and above them, by frequency."""
import audioop
import base64
import math
import struct

from audio import noise, read_wav, write_wav
from chromium import Chromium, Page
from control import Refused
from far_end import Exchange, Span
from harness import Case, free_ports, main, wait_until
from node import Node, near

PAGE = """<!doctype html><meta charset=utf-8><title>phone</title><script>
const heard = [];        // payloads as they came
let said = new Uint8Array(0), at = 0, pc, sender, dtmf;
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const text = list => { let all = ''; for (const one of list) for (const o of one) all += String.fromCharCode(o); return btoa(all); };
function tone(hz) {
  const context = new AudioContext(), oscillator = new OscillatorNode(context, {frequency: hz}), gain = new GainNode(context, {gain: 0.3}), out = context.createMediaStreamDestination();
  oscillator.connect(gain).connect(out);
  oscillator.start();
  return out.stream;
}
async function offer(codecs, hz) {  // with these codecs only, if any; what it says: a tone, or the microphone
  const stream = hz ? tone(hz) : await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false}});
  pc = new RTCPeerConnection({encodedInsertableStreams: true});
  sender = pc.addTrack(stream.getTracks()[0], stream);
  const out = sender.createEncodedStreams();
  out.readable.pipeThrough(new TransformStream({transform(frame, controller) {
    const n = frame.data.byteLength;
    if (at + n <= said.length) { frame.data = said.slice(at, at + n).buffer; at += n; }
    controller.enqueue(frame);
  }})).pipeTo(out.writable);
  pc.ontrack = event => {
    const into = event.receiver.createEncodedStreams();
    into.readable.pipeThrough(new TransformStream({transform(frame, controller) {
      heard.push(new Uint8Array(frame.data.slice(0)));
      controller.enqueue(frame);
    }})).pipeTo(into.writable);
    window.player = new Audio();
    player.srcObject = new MediaStream([event.track]);
    player.play();
  };
  if (codecs) pc.getTransceivers()[0].setCodecPreferences(RTCRtpSender.getCapabilities('audio').codecs.filter(c => codecs.includes(c.mimeType)));
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}
const answer = sdp => pc.setRemoteDescription({type: 'answer', sdp});
async function stats(type, kind) {
  for (const one of (await pc.getStats()).values()) if (one.type === type && (!kind || one.kind === kind)) return one;
}
async function listen(seconds) {  // what is played: strength of each of some frequencies
  const context = new AudioContext(), analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0;
  context.createMediaStreamSource(player.srcObject).connect(analyser);
  await new Promise(done => setTimeout(done, seconds * 1000));
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(spectrum);
  let best = 0;
  spectrum.forEach((level, i) => { if (level > spectrum[best]) best = i; });
  const result = {hz: best * context.sampleRate / analyser.fftSize, level: spectrum[best]};
  context.close();
  return result;
}
</script>"""


def pieces_found(heard, said, octets=800):
    """How many stretches of @said, of 100 ms each, stand in @heard as they were said."""
    pieces = [said[i:i + octets] for i in range(0, len(said) - octets + 1, octets)]
    return sum(piece in heard for piece in pieces) / len(pieces)


def tone(seconds, hz, amplitude=8000):
    """A-law octets of a sine."""
    samples = (int(amplitude * math.sin(2 * math.pi * hz * i / 8000)) for i in range(int(seconds * 8000)))
    return audioop.lin2alaw(b"".join(struct.pack("<h", sample) for sample in samples), 2)


def share_of(octets, hz, seconds=1):
    """How much of the best @seconds of A-law octets is a tone of @hz: its power of all power."""
    best = 0
    n = seconds * 8000
    samples = struct.unpack(f"<{len(octets)}h", audioop.alaw2lin(octets, 2))
    for at in range(0, len(samples) - n, n // 2):
        piece = samples[at:at + n]
        real = sum(s * math.cos(2 * math.pi * hz * i / 8000) for i, s in enumerate(piece))
        imaginary = sum(s * math.sin(2 * math.pi * hz * i / 8000) for i, s in enumerate(piece))
        power = sum(s * s for s in piece)
        if power > n * 100 ** 2:
            best = max(best, 2 * (real * real + imaginary * imaginary) / n / power)
    return best


class Browser(Case):
    def setUp(self):
        super().setUp()
        a, b, udp = free_ports(3)
        self.udp = udp
        more = f"[browser]\nport = {udp}\naddresses = 127.0.0.1\ncertificate = {self.dir}/browser.pem\ngrace_s = 40\n"
        # Deep from the start: on a busy machine octets are lost while the playout depth grows.
        self.node = Node(self, [near("e1", b, a, clock="adaptive")], more=more, media=("jitter_min_ms = 100",)).start()
        self.exchange = Exchange(self, "exchange", [Span("net", a, b)])
        self.desk = self.node.connect("conductor", epoch=1)
        self.node.await_span(self.desk, "e1", 30)

    def browse(self, *flags):
        self.chromium = Chromium(self, flags)
        self.chromium.go(Page(self, PAGE).url)

    def connect(self, leg="anna", codecs=None, hz=None):
        """The page's leg, with media up."""
        mark = self.desk.mark()
        offer = self.chromium.run("return await offer(...arguments)", codecs, hz)
        answer = self.desk.ask("leg.connect", leg=leg, sdp=offer, name="Anna", tags={"agent": "anna"})
        self.assertEqual(answer["leg"]["party"], {"kind": "browser", "name": "Anna"})
        self.assertEqual((answer["leg"]["state"], answer["leg"]["direction"]), ("answered", "in"))
        self.chromium.run("await answer(arguments[0])", answer["sdp"])
        self.desk.await_event("leg.connected", lambda p: p["leg"] == leg, mark)

    def take(self):
        """The caller's leg, answered and bridged to Anna."""
        caller = self.desk.await_event("leg.offered")["leg"]["leg"]
        self.desk.ask("leg.take", leg=caller)
        self.desk.ask("leg.answer", leg=caller)
        self.desk.ask("bridge.create", bridge="talk", kind="voice",
                      members=[{"leg": leg, "when_ends": "keep-others"} for leg in (caller, "anna")])
        return caller

    def heard(self):
        return base64.b64decode(self.chromium.run("return text(heard)"))

    def say(self, octets):
        self.chromium.run("said = bytes(arguments[0]); at = 0", base64.b64encode(octets).decode())

    def test_octets_digits_and_reload(self):
        """Payload as it is both ways, digits once each way, and all of it again after a reload in mid-call."""
        self.browse()
        self.connect()
        says, answers = noise(3, 1), [noise(3, 2), noise(3, 3)]
        write_wav(self.dir / "says.wav", says)
        call = self.exchange.start_calls("""dial 100 from 0301; wait answered; record hears.wav; say says.wav
                                            expect digits 159; send 42#; pause 5; expect digits 0; hangup 16""")
        caller = self.take()
        self.say(answers[0])
        self.desk.ask("leg.collect", leg=caller, collect="c", max=3)
        self.chromium.until("return at + 160 > said.length", "three seconds of speech")
        wait_until(lambda: pieces_found(self.heard(), says) >= 0.9, "the caller's speech")
        self.chromium.run("sender.dtmf.insertDTMF('159', 120, 80)")
        digits = self.desk.await_event("leg.collected", lambda p: p["collect"] == "c")["digits"]
        self.assertEqual(digits, "42#")
        mark = self.desk.mark()
        self.chromium.go(self.chromium.run("return location.href"))
        self.connect()
        legs = {leg["leg"]: leg for leg in self.desk.ask("node.snapshot")["legs"]}
        self.assertEqual((legs["anna"]["bridge"], legs["anna"]["connected"]), ("talk", True))
        self.assertFalse([p for name, p in self.desk.events[mark:] if name == "leg.ended"])
        self.say(answers[1])
        self.chromium.until("return at + 160 > said.length", "three seconds more")
        self.chromium.run("sender.dtmf.insertDTMF('0', 120, 80)")
        result = call.all_good()[0]
        self.assertEqual((result["cause"], result["digits"]), (16, "1590"))
        recording = read_wav(self.dir / "hears.wav")
        for said in answers:
            self.assertGreaterEqual(pieces_found(recording, said), 0.9)
        self.desk.await_event("leg.ended", lambda p: p["leg"] == caller)
        self.assertEqual([leg["leg"] for leg in self.desk.ask("node.snapshot")["legs"]], ["anna"])

    def test_sound(self):
        """Through the browser's own codecs: 1,000 Hz of the caller's is 1,000 Hz in the page, and its reports are true."""
        self.browse()
        self.connect()
        write_wav(self.dir / "tone.wav", tone(30, 1000))
        call = self.exchange.start_calls("dial 100; wait answered; say tone.wav; wait released")
        caller = self.take()
        self.chromium.until("const s = await stats('inbound-rtp', 'audio'); return s && s.packetsReceived > 50", "packets")
        found = self.chromium.run("return await listen(2)")
        self.assertAlmostEqual(found["hz"], 1000, delta=12)
        self.assertGreater(found["level"], -40)
        page = self.chromium.run("return await stats('transport')")
        self.assertEqual((page["srtpCipher"], page["dtlsState"]), ("SRTP_AEAD_AES_128_GCM", "connected"))
        counters = self.desk.ask("leg.counters", leg="anna")["counters"]
        self.assertGreater(counters["packets_received"], 50)
        self.assertEqual(counters["refused"], 0)
        self.desk.ask("leg.release", leg=caller)
        call.results()

    def test_opus_only(self):
        """A page that has nothing but Opus: sound both ways by frequency, digits, and a caller who has A-law."""
        self.browse()
        self.connect(codecs=["audio/opus", "audio/telephone-event"], hz=1200)
        write_wav(self.dir / "tone.wav", tone(30, 800))
        call = self.exchange.start_calls("dial 100; wait answered; record hears.wav; say tone.wav; expect digits 159; hangup 16")
        self.take()
        self.chromium.until("const s = await stats('inbound-rtp', 'audio'); return s && s.packetsReceived > 100", "packets")
        found = self.chromium.run("return await listen(2)")
        self.assertAlmostEqual(found["hz"], 800, delta=12)
        self.assertGreater(found["level"], -40)
        codec = self.chromium.run("const all = await pc.getStats(); return all.get((await stats('inbound-rtp', 'audio')).codecId)")
        self.assertEqual(codec["mimeType"], "audio/opus")
        self.chromium.run("sender.dtmf.insertDTMF('159', 120, 80)")
        counters = self.desk.ask("leg.counters", leg="anna")["counters"]
        self.assertEqual(counters["refused"], 0)
        self.assertEqual(call.all_good()[0]["digits"], "159")
        self.assertGreater(share_of(read_wav(self.dir / "hears.wav"), 1200), 0.9)

    def test_closed_page(self):
        """A page that says goodbye is told at once; the leg is released when its time of grace is over, or by command."""
        self.browse()
        self.connect()
        mark = self.desk.mark()
        self.chromium.run("pc.close()")
        gone = self.desk.await_event("leg.disconnected", lambda p: p["leg"] == "anna", mark)
        self.assertEqual((gone["why"], gone["grace_s"], gone["tags"]), ("closed", 40, {"agent": "anna"}))
        self.connect()
        self.desk.ask("leg.release", leg="anna")
        self.desk.await_event("leg.ended", lambda p: p["leg"] == "anna", mark)

    def test_offers_that_cannot_be(self):
        self.browse()
        offer = self.chromium.run("return await offer()")
        lines = offer.split("\r\n")
        without = lambda start: "\r\n".join(line for line in lines if not line.startswith(start))
        for sdp, why in (("hello", "line 1: expected v=0"), (without("a=fingerprint"), "audio: expected a=fingerprint"),
                         (without("a=ice-ufrag"), r"audio: expected ICE"), (without("a=rtcp-mux"), "audio: expected a=rtcp-mux"),
                         (offer.replace("m=audio", "m=video"), "expected m=audio"),
                         (offer.replace("a=setup:actpass", "a=setup:passive"), "expected a=setup:actpass")):
            with self.assertRaisesRegex(Refused, f"-32602.*sdp: .*{why}"):
                self.desk.ask("leg.connect", leg="bert", sdp=sdp)
        self.assertEqual(self.desk.ask("node.snapshot")["legs"], [])


if __name__ == "__main__":
    main()
