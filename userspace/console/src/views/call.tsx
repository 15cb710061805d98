// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// The call that rings at me or that I am in.
import { h } from "preact";
import type { Actions } from "../state/actions";
import type { Call } from "../desk/protocol";
import { isRinging, myCall, myConsult, mySelf, nowUs, seesOther } from "../state/select";
import type { State } from "../state/state";
import { Caller } from "./caller";
import { Keypad } from "./keypad";
import { PictureView } from "./picture";
import { TransferList } from "./transfer";
import { duration } from "./words";

interface Props { state: State; actions: Actions }

function Toggle({ on, label, labelOn, keys, act }: { on: boolean; label: string; labelOn: string; keys: string; act: () => void }) {
  return <button class={on ? "chosen" : ""} aria-pressed={String(on)} aria-keyshortcuts={keys} title={`${label} (${keys})`} onClick={act}>{on ? labelOn : label}</button>;
}

function Waiting({ state, actions }: Props) {
  const call = myCall(state);
  if (!call) return null;
  return (
    <section class="panel call ringing-now" aria-label="A call rings">
      <Caller call={call} state={state} />
      <div class="acts">
        <button class="main answer" aria-keyshortcuts="Alt+A" title="Answer (Alt+A)" onClick={() => actions.answer()}>Answer</button>
        <button class="hang-up" aria-keyshortcuts="Alt+X" title="Decline (Alt+X)" onClick={() => actions.hangUp()}>Decline</button>
      </div>
    </section>
  );
}

function Consulting({ state, actions, consult }: Props & { consult: Call }) {
  const name = state.agents.get(consult.called)?.name ?? consult.called;
  const talks = consult.state === "answered";
  return (
    <div class="consult" role="status">
      <p>{talks ? `You speak with ${name}; the caller hears music.` : `${name} is being called; the caller hears music.`}</p>
      <div class="acts">
        <button class="main" disabled={!talks} onClick={() => actions.complete()}>Complete the transfer</button>
        <button onClick={() => actions.cancel()}>Back to the caller</button>
      </div>
    </div>
  );
}

function Buttons({ state, actions, call }: Props & { call: Call }) {
  const asked = call.about !== undefined;
  return (
    <div class="acts" role="group" aria-label="The call">
      {!asked && <Toggle on={!!call.on_hold} label="Hold" labelOn="Back to the caller" keys="Alt+H" act={() => actions.hold(!call.on_hold)} />}
      <Toggle on={!!call.muted} label="Mute" labelOn="Unmute" keys="Alt+M" act={() => actions.mute(!call.muted)} />
      {call.recording && <Toggle on={call.recording === "paused"} label="Pause the recording" labelOn="Record again" keys="Alt+R" act={() => actions.record(call.recording === "paused")} />}
      {seesOther(state) && <Toggle on={state.camera} label="Show my camera" labelOn="Hide my camera" keys="Alt+C" act={() => actions.showCamera(!state.camera)} />}
      <Toggle on={state.panel === "keypad"} label="Keypad" labelOn="Keypad" keys="Alt+K" act={() => actions.open("keypad")} />
      {!asked && <Toggle on={state.panel === "transfer"} label="Transfer" labelOn="Transfer" keys="Alt+T" act={() => actions.open("transfer")} />}
      <button class="hang-up" aria-keyshortcuts="Alt+X" title="Hang up (Alt+X)" onClick={() => actions.hangUp()}>Hang up</button>
    </div>
  );
}

function Talking({ state, actions, call }: Props & { call: Call }) {
  const consult = myConsult(state), sinceUs = mySelf(state)?.since_utc_us ?? call.started_utc_us;
  const word = call.on_hold && !consult ? "On hold" : call.muted ? "Muted" : "Talking";
  return (
    <section class="panel call" aria-label="Your call">
      <div class="head">
        <span class={`pill big ${call.on_hold ? "queued" : call.muted ? "bad" : "answered"}`} role="status" data-call={word}>{word}</span>
        {call.recording && <span class={`pill ${call.recording === "on" ? "recorded" : ""}`} role="status" data-recording={call.recording}>{call.recording === "on" ? "Recorded" : "Recording paused"}</span>}
        <span class="clock" aria-hidden="true">{duration(nowUs(state) - sinceUs)}</span>
      </div>
      <Caller call={call} state={state} />
      {consult ? <Consulting state={state} actions={actions} consult={consult} /> : null}
      {state.picture && seesOther(state) ? <PictureView stream={state.picture} /> : null}
      <Buttons state={state} actions={actions} call={call} />
      {state.panel === "keypad" ? <Keypad state={state} actions={actions} /> : null}
      {state.panel === "transfer" && !consult ? <TransferList state={state} actions={actions} /> : null}
    </section>
  );
}

export function CallView({ state, actions }: Props) {
  const me = mySelf(state), call = myCall(state);
  if (isRinging(state)) return <Waiting state={state} actions={actions} />;
  if (call && me?.state === "talking") return <Talking state={state} actions={actions} call={call} />;
  const words = me?.state === "ready" || me?.state === "ringing" ? "Waiting for a call." : me?.state === "wrap-up" ? "The call is over. Finish your notes, then set yourself ready."
    : "Set yourself ready to get calls.";
  return <section class="panel call idle"><p class="empty">{words}</p></section>;
}
