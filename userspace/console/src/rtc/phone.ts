// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// The standing leg: one peer connection that is up all shift. Made anew when it fails; calls in progress go on.
import { Picture } from "./picture";
import { NoMicrophone, openMicrophone } from "./microphone";
import type { PhoneState, Trouble } from "../state/state";
import { sentence } from "../state/words";

const RETRY_MS = 2000;
const DISCONNECTED_MAX_MS = 4000;
const POLICY: RTCConfiguration = { bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };

export interface PhoneOwner {
  /** What leads to the node where no UDP is let through: TURN servers, with fresh credentials; perhaps nothing else does. */
  servers(): Promise<Pick<RTCConfiguration, "iceServers" | "iceTransportPolicy">>;
  /** The node's answer to @sdp. */
  offer(sdp: string): Promise<string>;
  onPhone(state: PhoneState, trouble: Trouble | null): void;
  /** Whether a stream for cameras stands ready, too. */
  hasVideo(): boolean;
  /** The browser plays only after a click. */
  onSilent(silent: boolean): void;
  onPicture(picture: MediaStream | null): void;
  onCamera(on: boolean): void;
}

export class Phone {
  private microphone: MediaStream | null = null;
  private peer: RTCPeerConnection | null = null;
  private timer = 0;
  private wanted = false;
  private muted = false;
  private readonly audio = new Audio();
  readonly picture: Picture;

  constructor(private readonly owner: PhoneOwner) {
    this.audio.autoplay = true;
    this.picture = new Picture(picture => owner.onPicture(picture), on => owner.onCamera(on));
  }

  /** Asks for the microphone and connects. */
  async start(): Promise<void> {
    this.wanted = true;
    this.owner.onPhone("asking", null);
    try {
      if (!this.microphone) this.listen(await openMicrophone());
    } catch (error) {
      this.wanted = false;
      this.owner.onPhone("refused", error instanceof NoMicrophone ? error.trouble : { title: String(error), advice: "" });
      return;
    }
    if (this.wanted) await this.connect();
  }

  stop(state: PhoneState = "off"): void {
    this.wanted = false;
    this.picture.hide();
    this.drop();
    for (const track of this.microphone?.getTracks() ?? []) track.stop();
    this.microphone = null;
    this.owner.onPhone(state, null);
  }

  /** The desk is back, or says that it does not hear us: is the connection still what it was? */
  renew(): void {
    if (this.wanted && this.microphone && this.peer?.connectionState !== "connecting") void this.connect();
  }

  get connected(): boolean {
    return this.peer?.connectionState === "connected";
  }

  /** Here too, so that nothing leaves the room while muted. */
  mute(on: boolean): void {
    this.muted = on;
    for (const track of this.microphone?.getAudioTracks() ?? []) track.enabled = !on;
  }

  /** After a click the browser lets us play. */
  listenNow(): void {
    this.audio.play().then(() => this.owner.onSilent(false), () => this.owner.onSilent(true));
  }

  private listen(stream: MediaStream): void {
    this.microphone = stream;
    this.mute(this.muted);
    for (const track of stream.getAudioTracks())
      track.onended = () => {
        this.stop("refused");
        this.owner.onPhone("refused", { title: "The microphone has gone.", advice: "Plug the headset in again, then connect." });
      };
  }

  private drop(): void {
    window.clearTimeout(this.timer);
    if (this.peer) this.peer.onconnectionstatechange = null;
    this.peer?.close();
    this.peer = null;
  }

  private again(afterMs: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.connect(), afterMs);
  }

  private async connect(): Promise<void> {
    this.drop();
    if (!this.wanted || !this.microphone) return;
    const peer = new RTCPeerConnection(POLICY);
    this.peer = peer;
    this.owner.onPhone("connecting", null);
    for (const track of this.microphone.getTracks()) peer.addTrack(track, this.microphone);
    if (this.owner.hasVideo()) this.picture.join(peer);
    peer.ontrack = event => {
      if (event.track.kind === "video") { this.picture.take(event.track); return; }
      this.audio.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      this.listenNow();
    };
    peer.onconnectionstatechange = () => this.changed(peer);
    try {
      peer.setConfiguration({ ...POLICY, ...await this.owner.servers() });
      await peer.setLocalDescription(await peer.createOffer());
      await gathered(peer);
      const answer = await this.owner.offer(peer.localDescription?.sdp ?? "");
      if (this.peer === peer) await peer.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (error) {
      if (this.peer !== peer) return;
      this.owner.onPhone("lost", { title: "The phone is not connected.", advice: `${sentence(error instanceof Error ? error.message : String(error))} Trying again …` });
      this.again(RETRY_MS);
    }
  }

  private changed(peer: RTCPeerConnection): void {
    if (this.peer !== peer) return;
    window.clearTimeout(this.timer);
    if (peer.connectionState === "connected") this.owner.onPhone("connected", null);
    else if (peer.connectionState === "disconnected") this.again(DISCONNECTED_MAX_MS);
    else if (peer.connectionState === "failed" || peer.connectionState === "closed") {
      this.owner.onPhone("lost", { title: "The sound was lost.", advice: "The network between this browser and the centre was cut. Connecting again …" });
      this.again(0);
    }
  }
}

/** Candidates are gathered, or enough of them: the node finds out the rest by itself. */
function gathered(peer: RTCPeerConnection): Promise<void> {
  return new Promise(resolve => {
    if (peer.iceGatheringState === "complete") { resolve(); return; }
    const timer = window.setTimeout(resolve, 500);
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState !== "complete") return;
      window.clearTimeout(timer);
      resolve();
    };
  });
}
