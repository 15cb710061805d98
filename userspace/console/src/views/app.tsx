// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
import { h } from "preact";
import type { Actions } from "../state/actions";
import { mySelf } from "../state/select";
import type { State } from "../state/state";
import { AgentBar } from "./agent-bar";
import { CallView } from "./call";
import { Notices } from "./notices";
import { SignIn } from "./sign-in";

function Header({ state, actions }: { state: State; actions: Actions }) {
  return (
    <header>
      <img src="/icon.svg" alt="" width="30" height="30" />
      <div class="title"><h1>Trunkline</h1><p>{state.desk ? `Softphone · ${state.desk.desk}` : "Softphone"}</p></div>
      <nav aria-label="Pages"><a href="/">Live page</a></nav>
      {state.me ? <button onClick={() => void actions.signOut()}>Sign out</button> : null}
    </header>
  );
}

export function App({ state, actions }: { state: State; actions: Actions }) {
  return (
    <div id="app">
      <Header state={state} actions={actions} />
      <main class="console">
        <Notices state={state} actions={actions} />
        {!state.started ? <p class="empty">Connecting …</p> : null}
        {state.started && !state.me ? <SignIn state={state} actions={actions} /> : null}
        {mySelf(state) ? <AgentBar state={state} actions={actions} /> : null}
        {mySelf(state) ? <CallView state={state} actions={actions} /> : null}
      </main>
    </div>
  );
}
