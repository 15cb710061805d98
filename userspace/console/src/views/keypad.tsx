// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
import { h } from "preact";
import type { Actions } from "../state/actions";
import type { State } from "../state/state";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const NAMES: Record<string, string> = { "*": "star", "#": "hash" };

export function Keypad({ state, actions }: { state: State; actions: Actions }) {
  return (
    <div class="keypad" role="group" aria-label="Keypad">
      <output class="digits" aria-label="Keys sent">{state.digits || "\u00a0"}</output>
      {KEYS.map(key => <button key={key} aria-label={NAMES[key] ?? key} onClick={() => actions.press(key)}>{key}</button>)}
    </div>
  );
}
