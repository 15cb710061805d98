// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// The other one's picture and our camera, on the phone's own connection: nothing is negotiated anew, a camera is put into a
// stream that stands ready.

const GONE_MS = 2500; // without a frame for so long, nobody shows anything

export class Picture {
  private camera: MediaStreamTrack | null = null;
  private sender: RTCRtpSender | null = null;
  private readonly video = document.createElement("video");
  private seenMs = 0;
  private shows = false;

  /** @onPicture: the other one's picture, or that there is none any more; @onCamera: whether ours is on. */
  constructor(private readonly onPicture: (stream: MediaStream | null) => void, private readonly onCamera: (on: boolean) => void) {
    this.video.muted = this.video.autoplay = true;
    window.setInterval(() => this.look(), 1000);
  }

  /** The phone's new connection: a stream both ways, empty for now. */
  join(peer: RTCPeerConnection): void {
    this.sender = peer.addTransceiver("video", { direction: "sendrecv" }).sender;
    if (this.camera) void this.sender.replaceTrack(this.camera);
  }

  take(track: MediaStreamTrack): void {
    this.video.srcObject = new MediaStream([track]);
    this.video.play().catch(() => undefined);
    this.await();
  }

  async show(): Promise<void> {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360, frameRate: 24 } });
    this.camera = stream.getVideoTracks()[0] ?? null;
    if (this.camera) this.camera.onended = () => this.hide();
    await this.sender?.replaceTrack(this.camera);
    this.onCamera(true);
  }

  hide(): void {
    if (!this.camera) return;
    this.camera.stop();
    this.camera = null;
    void this.sender?.replaceTrack(null);
    this.onCamera(false);
  }

  private await(): void {
    this.video.requestVideoFrameCallback(() => {
      this.seenMs = performance.now();
      this.look();
      this.await();
    });
  }

  private look(): void {
    const shows = this.seenMs > 0 && performance.now() - this.seenMs < GONE_MS;
    if (shows === this.shows) return;
    this.shows = shows;
    this.onPicture(shows ? this.video.srcObject as MediaStream : null);
  }
}
