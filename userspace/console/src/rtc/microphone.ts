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

export async function openMicrophone(): Promise<MediaStream> {
  if (!window.isSecureContext || !navigator.mediaDevices)
    throw new NoMicrophone({ title: "The browser refuses the microphone: this page was not loaded securely.",
      advice: `Browsers give the microphone only to pages loaded by https:// or from this very machine. Open https://${location.host}/agent, `
        + "or http://localhost on the desk's own machine. `make run LAN=1` serves HTTPS and says how to trust it." });
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
