// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// Numbers and states as an agent reads them.
import type { AgentState } from "../desk/protocol";

export function duration(us: number): string {
  const s = Math.max(0, Math.floor(us / 1e6)), h = Math.floor(s / 3600), two = (n: number) => String(n).padStart(2, "0");
  const m = Math.floor(s / 60) % 60;
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

export function moment(us: number): string {
  const date = new Date(us / 1000), today = new Date();
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return date.toDateString() === today.toDateString() ? `today ${time}` : `${date.toLocaleDateString()} ${time}`;
}

export function stateWord(state: AgentState): string {
  return { offline: "Offline", ready: "Ready", ringing: "Ringing", talking: "In a call", "wrap-up": "Wrap-up", break: "Break" }[state];
}

export function outcomeWord(outcome: string | undefined): string {
  return { answered: "answered", abandoned: "gave up", overflowed: "waited too long" }[outcome ?? ""] ?? "not queued";
}
