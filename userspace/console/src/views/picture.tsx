// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// The other agent's picture.
import { h } from "preact";

export function PictureView({ stream }: { stream: MediaStream }) {
  const show = (video: HTMLElement | null) => {
    if (video instanceof HTMLVideoElement && video.srcObject !== stream) {
      video.srcObject = stream;
      video.muted = true; // its sound is the call's
      video.play().catch(() => undefined);
    }
  };
  return <video class="picture" ref={show} aria-label="Picture of who you speak with" />;
}
