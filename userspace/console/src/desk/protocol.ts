// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// What the desk says: userspace/control/desk.schema.json and deskd/web/README.md.

export type AgentState = "offline" | "ready" | "ringing" | "talking" | "wrap-up" | "break";
export type CallState = "offered" | "ringing" | "queued" | "answered" | "held" | "ended";

export interface Agent {
  agent: string; name: string; state: AgentState; since_utc_us: number;
  phone_registered: boolean; browser_connected?: boolean; auto_answer?: boolean;
  reason?: string; call?: string; queues?: string[]; wrap_up_s?: number;
}

export interface Call {
  call: string; state: CallState; called: string; calling: string; started_utc_us: number;
  calling_name?: string; service?: string; queue?: string; agent?: string; digits?: string; step?: string;
  answered_utc_us?: number; ended_utc_us?: number; cause?: number;
  on_hold?: boolean; muted?: boolean; recording?: "on" | "paused"; consult?: string; about?: string;
}

export interface Queue { queue: string; waiting: number; ready: number; talking: number }

export interface Past {
  call: string; started_utc_us: number; ended_utc_us: number; answered_utc_us?: number;
  service?: string; queue?: string; agent?: string; outcome?: string;
}

export interface Desk { desk: string; version: string; conductor: boolean; video?: boolean }

export interface Snapshot {
  event: "snapshot"; utc_us: number; me?: string; desk: Desk; calls: Call[]; agents: Agent[]; queues: Queue[];
}

export type DeskEvent =
  | Snapshot
  | { event: "call.changed"; call: Call }
  | { event: "agent.changed"; agent: Agent }
  | { event: "queue.changed"; queue: Queue }
  | { event: "desk.changed"; desk: Desk }
  | { event: "phone.taken" };
