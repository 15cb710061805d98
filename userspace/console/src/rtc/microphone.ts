// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// The microphone, and plain words for why there is none.
import type { Trouble } from "../state/state";

export class NoMicrophone extends Error {
  constructor(readonly trouble: Trouble) { super(trouble.title); }
}

function why(error: unknown): Trouble {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return { title: "The microphone is blocked.",
        advice: "Allow it for this page: click the icon left of the address, set the microphone to “Allow”, then try again." };
    case "NotFoundError":
    case "OverconstrainedError":
      return { title: "No microphone was found.", advice: "Plug in a headset, or switch its microphone on, then try again." };
    case "NotReadableError":
      return { title: "The microphone cannot be opened.", advice: "Another program may hold it. Close that program, then try again." };
    default:
      return { title: "The microphone cannot be used.", advice: error instanceof Error ? error.message : String(error) };
  }
}

/** Why this page can never have it, known before anybody asks. */
export function refusedAltogether(): Trouble | null {
  if (window.isSecureContext && navigator.mediaDevices) return null;
  return { title: "The browser refuses the microphone: this page was not loaded securely.",
    advice: "Browsers give it only to pages that come by HTTPS, or from localhost on the desk's own machine. "
      + "Let the desk serve HTTPS ([web] certificate; the demonstration: make run LAN=1) and open this page by https://." };
}

export async function openMicrophone(): Promise<MediaStream> {
  const refused = refusedAltogether();
  if (refused) throw new NoMicrophone(refused);
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  } catch (error) {
    throw new NoMicrophone(why(error));
  }
}

/** Whether it may be opened without asking the agent. */
export async function mayOpenUnasked(): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: "microphone" as PermissionName })).state === "granted";
  } catch {
    return false;
  }
}
