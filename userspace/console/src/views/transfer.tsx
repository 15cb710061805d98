// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// To whom a call can be given: agents, asked first or not, and queues.
import { h } from "preact";
import type { Actions } from "../state/actions";
import { others } from "../state/select";
import type { State } from "../state/state";
import { stateWord } from "./words";

export function TransferList({ state, actions }: { state: State; actions: Actions }) {
  return (
    <div class="transfer" role="group" aria-label="Transfer">
      <h3>To an agent</h3>
      <ul>{others(state).map(agent => {
        const ready = agent.state === "ready";
        return (
          <li key={agent.agent}>
            <span class="name">{agent.name}</span><span class={`pill ${agent.state}`}>{stateWord(agent.state)}</span>
            <button disabled={!ready} aria-label={`Ask ${agent.name} first`} onClick={() => actions.consult(agent.agent)}>Ask first</button>
            <button disabled={!ready} aria-label={`Transfer to ${agent.name}`} onClick={() => actions.transfer(`agent:${agent.agent}`)}>Transfer</button>
          </li>);
      })}</ul>
      <h3>To a queue</h3>
      <ul>{[...state.queues.values()].map(queue => (
        <li key={queue.queue}>
          <span class="name">{queue.queue}</span><span class="soft">{queue.ready} ready, {queue.waiting} waiting</span>
          <button aria-label={`Transfer to the queue ${queue.queue}`} onClick={() => actions.transfer(`queue:${queue.queue}`)}>Transfer</button>
        </li>))}</ul>
    </div>
  );
}
