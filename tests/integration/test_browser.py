#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A real browser at a real node: a call over PRI, bridged to a page's standing leg. What the page sends and gets is
looked at below its codecs, octet by octet, and above them, by frequency."""
import audioop
import base64
import math
import struct
import sys

from audio import noise, read_wav, share_of, tone, write_wav
from chromium import Chromium, Page
from control import Refused
from far_end import Exchange, Span
from harness import Case, free_ports, main, wait_until
from node import PATIENCE, Node, near
from wire import Translator

ALONE = True  # clocks run free here, Chromium's too: the runner gives it the machine

VIDEO_PAGE = """<!doctype html><meta charset=utf-8><title>two phones</title><script>
const phones = {};
function paint(canvas, colours) {  // four squares of these colours, and a line that moves
  const context = canvas.getContext('2d');
  let n = 0;
  return setInterval(() => {
    colours.forEach((colour, i) => { context.fillStyle = colour; context.fillRect(i % 2 * 160, i >> 1 ? 120 : 0, 160, 120); });
    context.fillStyle = '#fff';
    context.fillRect(n++ * 4 % 320, 116, 8, 8);
  }, 66);
}
const video_of = stream => Object.assign(document.body.appendChild(document.createElement('video')), {srcObject: stream, muted: true, autoplay: true});
async function offer(name, colours, codec) {  // @colours: of a painted picture; none: the camera's
  const phone = phones[name] ||= {};
  phone.pc?.close();
  clearInterval(phone.timer);
  const stream = new MediaStream();
  const audio = await navigator.mediaDevices.getUserMedia({audio: true, video: colours ? false : {width: 320, height: 240}});
  for (const track of audio.getTracks()) stream.addTrack(track);
  if (colours) {
    const canvas = phone.canvas = Object.assign(document.createElement('canvas'), {width: 320, height: 240});
    phone.timer = paint(canvas, phone.colours = colours);
    stream.addTrack(canvas.captureStream(15).getVideoTracks()[0]);
  }
  phone.own = video_of(stream);
  const pc = phone.pc = new RTCPeerConnection();
  for (const track of stream.getTracks()) pc.addTrack(track, stream);
  pc.ontrack = event => { if (event.track.kind === 'video') { phone.seen = video_of(new MediaStream([event.track])); phone.seen.play(); } };
  if (codec) for (const one of pc.getTransceivers()) if (one.sender.track.kind === 'video')
    one.setCodecPreferences(RTCRtpSender.getCapabilities('video').codecs.filter(c => [codec, 'video/rtx'].includes(c.mimeType)));
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}
const answer = (name, sdp) => phones[name].pc.setRemoteDescription({type: 'answer', sdp});
async function stats(name, type, kind) {
  const all = await phones[name].pc.getStats();
  for (const one of all.values()) if (one.type === type && one.kind === kind) return {...one, codec: all.get(one.codecId)?.mimeType};
}
function picture(video, width, height) {
  const canvas = Object.assign(document.createElement('canvas'), {width, height}), context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, width, height);
  return [...context.getImageData(0, 0, width, height).data].filter((_, i) => i % 4 < 3);
}
const squares = name => {  // the colour in the middle of each
  const all = picture(phones[name].seen, 320, 240);
  return [[80, 60], [240, 60], [80, 180], [240, 180]].map(([x, y]) => all.slice((y * 320 + x) * 3, (y * 320 + x) * 3 + 3));
};
function alike(a, b) {  // correlation of two pictures, small and grey
  const [x, y] = [a, b].map(video => picture(video, 32, 24)).map(all => Array.from({length: 768}, (_, i) => all[3 * i] + all[3 * i + 1] + all[3 * i + 2]));
  const mean = list => list.reduce((n, one) => n + one, 0) / list.length, mx = mean(x), my = mean(y);
  let xy = 0, xx = 0, yy = 0;
  x.forEach((one, i) => { xy += (one - mx) * (y[i] - my); xx += (one - mx) ** 2; yy += (y[i] - my) ** 2; });
  return xy / Math.sqrt(xx * yy || 1);
}
</script>"""

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
async function capture(seconds) {  // what is played, as 16-bit samples
  const reader = new MediaStreamTrackProcessor({track: player.srcObject.getTracks()[0]}).readable.getReader(), all = [];
  let rate = 0, n = 0;
  while (!rate || n < seconds * rate) {
    const {value} = await reader.read(), samples = new Float32Array(value.numberOfFrames);
    value.copyTo(samples, {planeIndex: 0, format: 'f32-planar'});
    rate = value.sampleRate;
    n += samples.length;
    all.push(new Uint8Array(Int16Array.from(samples, s => Math.max(-1, Math.min(1, s)) * 32767).buffer));
    value.close();
  }
  reader.cancel();
  return [rate, text(all)];
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


def quality(samples, hz, rate=8000):
    """Of a tone of @hz in which packets were lost: the median SNR of its pieces of 20 ms in dB, and the share of gaps, which
    have less than a tenth of the tone's power."""
    n = rate // 50
    found = []
    for at in range(0, len(samples) - n, n):
        piece = samples[at:at + n]
        real = sum(s * math.cos(2 * math.pi * hz * i / rate) for i, s in enumerate(piece))
        imaginary = sum(s * math.sin(2 * math.pi * hz * i / rate) for i, s in enumerate(piece))
        power = sum(s * s for s in piece)
        found.append((2 * (real * real + imaginary * imaginary) / n, power))
    usual = sorted(tone for tone, _ in found)[len(found) // 2]
    ratios = sorted(10 * math.log10(tone / max(power - tone, power / 1e6, 1)) for tone, power in found if tone > usual / 10)
    return ratios[len(ratios) // 2] if ratios else -99, sum(tone <= usual / 10 for tone, _ in found) / len(found)


class Browsing(Case):
    def setUp(self):
        super().setUp()
        a, b, udp = free_ports(3)
        self.udp = udp
        more = f"[browser]\nport = {udp}\naddresses = 127.0.0.1\ncertificate = {self.dir}/browser.pem\ngrace_s = 40\n"
        # Deep from the start: on a busy machine octets are lost while the playout depth grows.
        self.node = Node(self, [near("e1", b, a, clock="adaptive")], more=more, settings=(PATIENCE,), media=("jitter_min_ms = 100",)).start()
        self.exchange = Exchange(self, "exchange", [Span("net", a, b)])
        self.desk = self.node.connect("conductor", epoch=1)
        self.node.await_span(self.desk, "e1", 30)


class Browser(Browsing):
    def browse(self, *flags):
        self.chromium = Chromium(self, flags)
        self.chromium.go(Page(self, PAGE).url)

    def connect(self, leg="anna", codecs=None, hz=None, way=None):
        """The page's leg, with media up."""
        mark = self.desk.mark()
        offer = self.chromium.run("return await offer(...arguments)", codecs, hz)
        answer = self.desk.ask("leg.connect", leg=leg, sdp=offer, name="Anna", tags={"agent": "anna"})
        self.assertEqual(answer["leg"]["party"], {"kind": "browser", "name": "Anna"})
        self.assertEqual((answer["leg"]["state"], answer["leg"]["direction"]), ("answered", "in"))
        sdp = answer["sdp"].replace(f" {self.udp} typ host", f" {way} typ host") if way else answer["sdp"]
        self.chromium.run("await answer(arguments[0])", sdp)
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

    def await_tone(self, hz):
        """What is played is a tone of @hz; a moment that a busy machine has torn is looked at again."""
        def is_heard():
            found = self.chromium.run("return await listen(2)")
            return abs(found["hz"] - hz) <= 12 and found["level"] > -40
        wait_until(is_heard, f"a tone of {hz} Hz")

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
        for said in answers:  # a browser on a busy machine sends in bursts, of which playout drops what is too late
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
        self.await_tone(1000)
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
        self.await_tone(800)
        codec = self.chromium.run("const all = await pc.getStats(); return all.get((await stats('inbound-rtp', 'audio')).codecId)")
        self.assertEqual(codec["mimeType"], "audio/opus")
        self.chromium.run("sender.dtmf.insertDTMF('159', 120, 80)")
        counters = self.desk.ask("leg.counters", leg="anna")["counters"]
        self.assertEqual(counters["refused"], 0)
        self.assertEqual(call.all_good()[0]["digits"], "159")
        self.assertGreater(share_of(read_wav(self.dir / "hears.wav"), 1200), 0.9)

    def test_bad_network(self):
        """5 % lost, up to 40 ms of jitter, some out of order, both ways: what is heard stays a tone, with few gaps, and both
        ends' reports say what was lost."""
        self.browse()
        path = Translator(self, self.udp)
        self.connect(hz=1200, way=path.port)
        write_wav(self.dir / "tone.wav", tone(60, 800))
        call = self.exchange.start_calls("dial 100; wait answered; record hears.wav; say tone.wav; wait released")
        caller = self.take()
        self.chromium.until("const s = await stats('inbound-rtp', 'audio'); return s && s.packetsReceived > 50", "packets")
        path.both(loss=0.05, jitter_ms=40, reorder=0.02)
        lost = self.chromium.run("return (await stats('inbound-rtp', 'audio')).packetsLost")
        self.chromium.until(f"return (await stats('inbound-rtp', 'audio')).packetsLost >= {lost} + 10", "losses towards the page")
        rate, octets = self.chromium.run("return await capture(5)")
        page = struct.unpack(f"<{len(base64.b64decode(octets)) // 2}h", base64.b64decode(octets))
        counters = self.desk.ask("leg.counters", leg="anna")
        self.assertGreater(counters["counters"]["lost"], 5)
        self.assertEqual((counters["media"]["codec"], counters["media"]["srtp"]), ("PCMA", "SRTP_AEAD_AES_128_GCM"))
        wait_until(lambda: self.desk.ask("leg.counters", leg="anna")["media"]["remote_lost"], "the page's report of losses")
        self.desk.ask("leg.release", leg=caller)
        call.results()
        recording = read_wav(self.dir / "hears.wav")[-5 * 8000:]
        line = struct.unpack(f"<{len(recording)}h", audioop.alaw2lin(recording, 2))
        for what, (snr, gaps) in ("page", quality(page, 800, rate)), ("line", quality(line, 1200)):
            print(f"{what}: SNR {snr:.1f} dB, gaps {100 * gaps:.1f} %", file=sys.stderr)
            self.assertGreater(snr, 12, what)
            self.assertLess(gaps, 0.2, what)
        self.desk.ask("leg.release", leg="anna")
        ended = self.desk.await_event("leg.ended", lambda p: p["leg"] == "anna")
        self.assertGreater(ended["media"]["lost"], 5)

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


CODECS = ("video/VP8", "video/H264", "video/VP9", "video/AV1")
PAINTED = ["#c02020", "#20a020", "#2020c0", "#c0a020"]


class Video(Browsing):
    """Two peer connections, each a leg of its own; what one shows is measured at the other."""

    def connect_phone(self, name, colours=None, codec=None, way=None):
        mark = self.desk.mark()
        sdp = self.chromium.run("return await offer(...arguments)", name, colours, codec)
        answer = self.desk.ask("leg.connect", leg=name, sdp=sdp)["sdp"]
        if way:
            answer = answer.replace(f" {self.udp} typ host", f" {way} typ host")
        self.chromium.run("await answer(...arguments)", name, answer)
        self.desk.await_event("leg.connected", lambda p: p["leg"] == name, mark)

    def bridge(self):
        self.desk.ask("bridge.create", bridge="talk", kind="voice",
                      members=[{"leg": name, "when_ends": "keep-others"} for name in ("anna", "bert")])

    def sees_colours(self, name, colours):
        wanted = [[int(colour[i:i + 2], 16) for i in (1, 3, 5)] for colour in colours]

        def seen():
            if not self.chromium.run("return phones[arguments[0]].seen?.videoWidth", name):
                return False
            squares = self.chromium.run("return squares(arguments[0])", name)
            return all(abs(a - b) < 45 for one, other in zip(squares, wanted) for a, b in zip(one, other))
        wait_until(seen, f"{name} sees {colours}")

    def test_relayed(self):
        """The camera's picture one way, a painted one the other way; a new picture after a change of hands needs a key
        frame; a page that is loaded again sees and is seen at once; each codec in turn; over a bad network."""
        self.chromium = Chromium(self)
        self.chromium.go(Page(self, VIDEO_PAGE).url)
        self.connect_phone("anna", PAINTED)
        self.connect_phone("bert")
        self.bridge()
        self.sees_colours("bert", PAINTED)
        self.chromium.until("return phones.anna.seen?.videoWidth && alike(phones.bert.own, phones.anna.seen) > 0.9", "the camera's picture")
        before = self.chromium.run("window.was = picture(phones.anna.seen, 32, 24); return was.length")
        self.assertEqual(before, 32 * 24 * 3)
        self.chromium.until("return picture(phones.anna.seen, 32, 24).some((one, i) => Math.abs(one - was[i]) > 60)", "it moves")
        self.desk.ask("bridge.destroy", bridge="talk")
        frames = self.chromium.run("return (await stats('bert', 'inbound-rtp', 'video')).keyFramesDecoded")
        self.connect_phone("anna", PAINTED[::-1])
        self.bridge()
        self.sees_colours("bert", PAINTED[::-1])
        self.chromium.until("return (await stats('bert', 'inbound-rtp', 'video')).keyFramesDecoded > " + str(frames), "a key frame")
        has = self.chromium.run("return RTCRtpSender.getCapabilities('video').codecs.map(c => c.mimeType)")
        for codec in [one for one in CODECS if one in has]:
            with self.subTest(codec):
                self.desk.ask("bridge.destroy", bridge="talk")
                self.connect_phone("anna", PAINTED, codec)
                self.connect_phone("bert", PAINTED[::-1], codec)
                self.bridge()
                self.sees_colours("bert", PAINTED)
                self.sees_colours("anna", PAINTED[::-1])
                self.assertEqual(self.chromium.run("return (await stats('bert', 'inbound-rtp', 'video')).codec"), codec)
        self.assertIn("video/VP8", has)
        counters = self.desk.ask("leg.counters", leg="anna")["counters"]
        self.assertEqual(counters["refused"], 0)
        self.assertGreater(counters["video_sent"], 10)
        self.over_bad_network()

    def over_bad_network(self):
        """Packets of anna's are lost, late and out of order both ways: each page asks for what it misses, gets it from the
        other one by the relay, and a new picture comes through."""
        path = Translator(self, self.udp)
        self.desk.ask("bridge.destroy", bridge="talk")
        self.connect_phone("anna", PAINTED, way=path.port)
        self.connect_phone("bert", PAINTED[::-1])
        self.bridge()
        self.sees_colours("bert", PAINTED)
        path.both(loss=0.05, jitter_ms=40, reorder=0.02)
        for name in "anna", "bert":
            self.chromium.until(f"return (await stats('{name}', 'inbound-rtp', 'video')).nackCount > 3", f"{name} misses packets")
            self.chromium.until(f"return (await stats('{name}', 'outbound-rtp', 'video')).retransmittedPacketsSent > 3", f"{name} sends anew")
            self.chromium.until(f"return (await stats('{name}', 'inbound-rtp', 'video')).retransmittedPacketsReceived > 3", f"{name} gets it")
        self.chromium.run("const phone = phones.anna; clearInterval(phone.timer); phone.timer = paint(phone.canvas, arguments[0])", PAINTED[::-1])
        self.sees_colours("bert", PAINTED[::-1])
        self.sees_colours("anna", PAINTED[::-1])


if __name__ == "__main__":
    main()
