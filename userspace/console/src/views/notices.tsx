// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// What is wrong, in plain words, and what to do about it.
import { h } from "preact";
import type { Actions } from "../state/actions";
import { mySelf } from "../state/select";
import type { State } from "../state/state";

export function Notices({ state, actions }: { state: State; actions: Actions }) {
  const talking = mySelf(state)?.state === "talking";
  return (
    <div class="notices">
      {state.started && state.me && !state.online ? (
        <p class="notice" role="alert" data-notice="offline"><b>The desk cannot be reached.</b>{" "}
          {talking ? "Your call goes on. Connecting again …" : "Connecting again …"}</p>) : null}
      {state.online && state.desk && !state.desk.conductor ? (
        <p class="notice" role="status"><b>The desk is starting.</b> Calls go on; you can act again in a moment.</p>) : null}
      {state.trouble ? (
        <p class="notice" role="alert" data-notice="trouble"><b>{state.trouble.title}</b> {state.trouble.advice}</p>) : null}
      {state.silent && state.phone === "connected" ? (
        <p class="notice" role="alert"><b>The browser keeps this page silent.</b>{" "}
          <button class="main" onClick={() => actions.listen()}>Let it be heard</button></p>) : null}
      {state.error ? (
        <p class="notice" role="alert" data-notice="error"><b>That did not work:</b> {state.error}{" "}
          <button onClick={() => actions.forget()}>Dismiss</button></p>) : null}
    </div>
  );
}
