// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// What follows from the state.
import type { Agent, Call } from "../desk/protocol";
import type { State } from "./state";

export function mySelf(state: State): Agent | null {
  return (state.me && state.agents.get(state.me)) || null;
}

/** The call that rings at me or that I am in. One that I am chosen for is mine when the desk has stored that. */
export function myCall(state: State): Call | null {
  const me = mySelf(state), call = me?.call ? state.calls.get(me.call) : undefined;
  return call && call.agent === me?.agent ? call : null;
}

export function isRinging(state: State): boolean {
  return mySelf(state)?.state === "ringing" && myCall(state) !== null;
}

/** The call in which I ask another agent. */
export function myConsult(state: State): Call | null {
  const call = myCall(state);
  return (call?.consult && state.calls.get(call.consult)) || null;
}

/** Whether I speak with another agent, who may have a browser: customers on telephones show nothing. */
export function seesOther(state: State): boolean {
  const talks = myCall(state)?.about !== undefined && mySelf(state)?.state === "talking" || myConsult(state)?.state === "answered";
  return talks && state.desk?.video === true;
}

export function worksInBrowser(state: State): boolean {
  return mySelf(state)?.browser_connected !== undefined;
}

export function others(state: State): Agent[] {
  return [...state.agents.values()].filter(agent => agent.agent !== state.me).sort((a, b) => a.name.localeCompare(b.name));
}

export function nowUs(state: State): number {
  return (Date.now() + state.skewMs) * 1000;
}
