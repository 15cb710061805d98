// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// Who calls, for what, and what they called for before.
import { h } from "preact";
import type { Call } from "../desk/protocol";
import type { State } from "../state/state";
import { duration, moment, outcomeWord } from "./words";

export function Caller({ call, state }: { call: Call; state: State }) {
  const about = call.about !== undefined;
  const title = about ? `${call.calling_name ?? "A colleague"} asks you` : call.calling_name || call.calling || "Unknown number";
  const facts: [string, string | undefined][] = [
    [about ? "About the caller" : "Number", call.calling || "withheld"], ["Called", about ? undefined : call.called],
    ["Service", call.service], ["Queue", call.queue], ["Keys pressed", call.digits],
  ];
  return (
    <div class="caller">
      <h2>{title}</h2>
      <dl>{facts.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {!about && state.past?.call === call.call && call.calling ? <History state={state} /> : null}
    </div>
  );
}

function History({ state }: { state: State }) {
  const calls = state.past?.calls ?? [];
  if (!calls.length) return <p class="soft">First call from this number.</p>;
  return (
    <div class="history">
      <h3>Earlier calls</h3>
      <ul>{calls.map(past => (
        <li key={past.call}>
          <span>{moment(past.started_utc_us)}</span>
          <span class="soft">{[past.queue ?? past.service, outcomeWord(past.outcome),
            past.agent ? `by ${state.agents.get(past.agent)?.name ?? past.agent}` : null].filter(Boolean).join(" · ")}</span>
          <span class="soft">{past.answered_utc_us ? duration(past.ended_utc_us - past.answered_utc_us) : "–"}</span>
        </li>))}</ul>
    </div>
  );
}
