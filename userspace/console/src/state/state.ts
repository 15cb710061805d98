// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// Everything that the page shows, in one value; views draw it, nothing else does.
import type { Agent, Call, Desk, Past, Queue } from "../desk/protocol";

/** off: not asked for; refused: see Trouble. */
export type PhoneState = "off" | "asking" | "connecting" | "connected" | "lost" | "elsewhere" | "refused";

/** What is wrong, and what the agent can do about it. */
export interface Trouble { title: string; advice: string }

export interface State {
  started: boolean;            // it is known whether somebody is signed in
  me: string | null;
  online: boolean;             // the desk is connected
  desk: Desk | null;
  agents: Map<string, Agent>;
  calls: Map<string, Call>;
  queues: Map<string, Queue>;
  skewMs: number;              // the desk's clock less ours
  phone: PhoneState;
  trouble: Trouble | null;     // of the microphone and the phone
  silent: boolean;             // the browser plays nothing before somebody clicks
  error: string | null;        // what was asked for last and failed
  signInError: string | null;
  busy: boolean;               // a request is under way
  panel: "none" | "keypad" | "transfer";
  camera: boolean;             // ours is on
  picture: MediaStream | null; // of who we speak with
  digits: string;              // sent by the keypad in this call
  past: { call: string; calls: Past[] } | null;
}

export function emptyState(): State {
  return {
    started: false, me: null, online: false, desk: null, agents: new Map(), calls: new Map(), queues: new Map(), skewMs: 0,
    phone: "off", trouble: null, silent: false, error: null, signInError: null, busy: false, panel: "none", camera: false, picture: null, digits: "", past: null,
  };
}

type Listener = (state: State) => void;

/** One owner of the state; every change is told once a frame. */
export class Store {
  readonly state = emptyState();
  private scheduled = false;

  constructor(private readonly listener: Listener) {}

  set(change: Partial<State>): void {
    Object.assign(this.state, change);
    if (this.scheduled) return;
    this.scheduled = true;
    // Not a frame: a page in the background must ring, too.
    setTimeout(() => { this.scheduled = false; this.listener(this.state); }, 0);
  }
}
