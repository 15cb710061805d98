// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// Who I am, what I am doing, and since when.
import { h } from "preact";
import type { Actions } from "../state/actions";
import { mySelf, nowUs, worksInBrowser } from "../state/select";
import type { State } from "../state/state";
import { duration, stateWord } from "./words";

const PHONE_WORDS = {
  off: "Phone not connected", asking: "Waiting for the microphone", connecting: "Connecting …", connected: "Phone connected",
  lost: "Connecting again …", elsewhere: "Phone is in another window", refused: "No microphone",
} as const;

function PhoneSign({ state, actions }: { state: State; actions: Actions }) {
  if (!worksInBrowser(state)) return <span class="soft">SIP phone</span>;
  const kind = state.phone === "connected" ? "ok" : state.phone === "refused" || state.phone === "lost" ? "bad" : "warn";
  const may = state.phone === "off" || state.phone === "refused" || state.phone === "elsewhere";
  return (
    <span class="phone-sign">
      <span class={`pill ${kind}`} role="status" data-phone={state.phone}>{PHONE_WORDS[state.phone]}</span>
      {may && <button class="main" onClick={() => actions.connectPhone()}>Connect the phone</button>}
    </span>
  );
}

export function AgentBar({ state, actions }: { state: State; actions: Actions }) {
  const me = mySelf(state);
  if (!me) return null;
  const sinceUs = nowUs(state) - me.since_utc_us;
  const leftUs = me.wrap_up_s ? me.wrap_up_s * 1e6 - sinceUs : 0;
  const busy = me.state === "ringing" || me.state === "talking";
  return (
    <section class="panel agent-bar" aria-label="You">
      <div class="who">
        <b>{me.name}</b>
        <span class={`pill big ${me.state}`} role="status" data-state={me.state}>{stateWord(me.state)}{me.reason ? `: ${me.reason}` : ""}</span>
        <span class="soft" aria-hidden="true">{me.state === "wrap-up" && leftUs > 0 ? `${duration(leftUs)} left` : duration(sinceUs)}</span>
      </div>
      <div class="states" role="group" aria-label="Your state">
        <button class={me.state === "ready" ? "chosen" : ""} aria-pressed={String(me.state === "ready")}
          onClick={() => actions.setState("ready")}>Ready</button>
        <button class={me.state === "break" ? "chosen" : ""} aria-pressed={String(me.state === "break")}
          onClick={() => actions.setState("break", "break")}>{busy ? "Break after this" : "Break"}</button>
        <button class={me.state === "offline" ? "chosen" : ""} aria-pressed={String(me.state === "offline")}
          onClick={() => actions.setState("offline")}>Offline</button>
      </div>
      <PhoneSign state={state} actions={actions} />
    </section>
  );
}
