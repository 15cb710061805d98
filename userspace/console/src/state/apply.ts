// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// What the desk says, applied to the state.
import type { DeskEvent } from "../desk/protocol";
import type { State } from "./state";

function index<T>(list: T[], key: (item: T) => string): Map<string, T> {
  return new Map(list.map(item => [key(item), item]));
}

/** The change that @event makes; no side effects. */
export function apply(state: State, event: DeskEvent, nowMs: number): Partial<State> {
  switch (event.event) {
    case "snapshot":
      return {
        started: true, me: event.me ?? null, desk: event.desk, skewMs: event.utc_us / 1000 - nowMs,
        agents: index(event.agents, agent => agent.agent), calls: index(event.calls, call => call.call),
        queues: index(event.queues, queue => queue.queue),
      };
    case "call.changed": {
      const calls = new Map(state.calls);
      if (event.call.state === "ended") calls.delete(event.call.call);
      else calls.set(event.call.call, event.call);
      return { calls };
    }
    case "agent.changed":
      return { agents: new Map(state.agents).set(event.agent.agent, event.agent) };
    case "queue.changed":
      return { queues: new Map(state.queues).set(event.queue.queue, event.queue) };
    case "desk.changed":
      return { desk: event.desk };
    case "phone.taken":
      return { phone: "elsewhere" };
    default:
      return {};
  }
}
