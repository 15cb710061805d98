// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// The softphone: state in, one drawing out.
import { h, render } from "preact";
import { Actions } from "./state/actions";
import { mySelf } from "./state/select";
import type { State } from "./state/state";
import { App } from "./views/app";
import { listenToKeys } from "./views/keys";
import { stateWord } from "./views/words";

let root: Element | undefined;
let last: State | null = null;

const actions = new Actions(draw);

function draw(state: State): void {
  const me = mySelf(state);
  last = state;
  document.title = me ? `${stateWord(me.state)} – ${me.name} – Trunkline` : "Trunkline";
  root = render(<App state={state} actions={actions} />, document.body, root);
}

// Clocks on the page go on by themselves.
setInterval(() => { if (last) draw(last); }, 1000);
listenToKeys(document);
void actions.start();
