// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// What the agent hears of a call that comes: a ring, or two beeps when it is put through by itself.

export class Ring {
  private context: AudioContext | null = null;
  private timer = 0;

  start(): void {
    if (this.timer) return;
    this.burst();
    this.timer = window.setInterval(() => this.burst(), 3000);
  }

  stop(): void {
    window.clearInterval(this.timer);
    this.timer = 0;
  }

  beep(): void {
    this.tone(880, 0, 0.12);
    this.tone(880, 0.2, 0.12);
  }

  private burst(): void {
    for (let i = 0; i < 8; i++) this.tone(i % 2 ? 660 : 550, i * 0.1, 0.09);
  }

  private tone(hz: number, afterS: number, forS: number): void {
    this.context ??= new AudioContext();
    const at = this.context.currentTime + afterS, gain = this.context.createGain(), tone = this.context.createOscillator();
    tone.frequency.value = hz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.12, at + 0.01);
    gain.gain.linearRampToValueAtTime(0, at + forS);
    tone.connect(gain).connect(this.context.destination);
    tone.start(at);
    tone.stop(at + forS);
  }
}
