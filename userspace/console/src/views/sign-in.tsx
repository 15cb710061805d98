// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
import { h } from "preact";
import type { Actions } from "../state/actions";
import type { State } from "../state/state";

export function SignIn({ state, actions }: { state: State; actions: Actions }) {
  const submit = (event: Event) => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    void actions.signIn(String(fields.get("agent")), String(fields.get("password")));
  };
  return (
    <section class="panel sign-in" aria-labelledby="sign-in-title">
      <h2 id="sign-in-title">Sign in</h2>
      <form onSubmit={submit}>
        <label>Agent<input name="agent" autocomplete="username" required autofocus autocapitalize="none" /></label>
        <label>Password<input name="password" type="password" autocomplete="current-password" required /></label>
        {state.signInError && <p class="error" role="alert">{state.signInError}</p>}
        <button class="main" disabled={state.busy}>{state.busy ? "One moment …" : "Sign in"}</button>
      </form>
    </section>
  );
}
