// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
// The live page: one snapshot, then every change, over one WebSocket. What is shown is set as text, never as markup.
"use strict";

const FAX_OVER = new Set(["received", "sent", "failed", "cancelled"]);
const live = { faxes: new Set(), desk: null, nodes: new Map(), calls: new Map(), agents: new Map(), queues: new Map(), cdrs: [] };
const CDRS_SHOWN = 25, ENDED_STAYS_MS = 4000, RETRY_MS = 1500;
const SLOT_STATES = { idle: "idle", busy: "in a call", "d-channel": "signalling", restarting: "restarting", blocked: "blocked", unused: "unused" };
let skewMs = 0, agentName = null;

const byId = id => document.getElementById(id);
const nowUs = () => (Date.now() + skewMs) * 1000;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

const pill = (text, kind) => make("span", "pill " + (kind || text), text);

function span(us) {
  const s = Math.max(0, Math.floor(us / 1e6)), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  const two = n => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

// An element whose text is the time since @us; all of them tick together.
function since(us) {
  const element = make("span", "", span(nowUs() - us));
  element.dataset.since = us;
  return element;
}

const clock = us => new Date(us / 1000).toLocaleTimeString();
const sorted = (map, key) => [...map.values()].sort((a, b) => (a[key] > b[key]) - (a[key] < b[key]));

const CAUSES = { 1: "unallocated number", 3: "no route", 16: "normal clearing", 17: "busy", 18: "no response", 19: "no answer", 20: "absent",
  21: "rejected", 27: "out of order", 28: "invalid number", 31: "normal", 34: "no circuit", 38: "network out of order", 41: "temporary failure",
  42: "congestion", 44: "channel not available", 102: "timer expired" };
const cause = n => CAUSES[n] ? `${n} ${CAUSES[n]}` : String(n ?? "");

// ---- sections; each draws itself anew from live ----

function drawStatus() {
  const desk = live.desk;
  if (!desk) return;
  byId("desk").textContent = `${desk.desk} · ${desk.version}`;
  const pills = [desk.conductor ? pill("conductor", "ok") : pill("standing by", "warn")];
  for (const node of sorted(live.nodes, "node")) {
    pills.push(node.connected ? pill(node.node, "ok") : pill(`${node.node}: not connected`, "bad"));
    for (const alarm of node.alarms || []) pills.push(pill(`${node.node}: ${alarm}`, "bad"));
  }
  byId("status").replaceChildren(...pills);
}

function drawFigures() {
  const calls = [...live.calls.values()].filter(call => call.state !== "ended");
  const queues = [...live.queues.values()], agents = [...live.agents.values()];
  const waiting = calls.filter(call => call.state === "queued" || call.state === "ringing");
  const sum = key => queues.reduce((n, queue) => n + (queue[key] || 0), 0);
  const figure = (value, label, attention) => make("div", "figure" + (attention ? " attention" : ""), make("b", "", value), make("span", "", label));
  const oldest = waiting.length ? since(Math.min(...waiting.map(call => call.answered_utc_us || call.started_utc_us))) : "–";
  byId("figures").replaceChildren(
    figure(String(calls.length), "calls in progress"),
    figure(String(waiting.length), "waiting", waiting.length > 0),
    figure(oldest, "longest call waiting"),
    figure(`${agents.filter(a => a.state === "ready").length} / ${agents.filter(a => a.state !== "offline").length}`, "agents ready / logged in"),
    figure(String(sum("answered_today")), "answered today"),
    figure(String(sum("abandoned_today") + sum("overflowed_today")), "lost today"));
}

function where(call) {
  if (call.state === "queued") return `queue ${call.queue}${call.position ? `, place ${call.position}` : ""}`;
  if (call.state === "ringing") return call.queue ? `queue ${call.queue}` : call.step || "";
  if (call.agent && call.state === "answered") return "with an agent";
  return call.step || "";
}

function drawCalls() {
  const rows = sorted(live.calls, "started_utc_us").map(call => {
    const agent = live.agents.get(call.agent);
    return make("tr", call.state === "ended" ? "over" : "",
      make("td", "", pill(call.state)),
      make("td", "", call.service || ""),
      make("td", "", call.calling || "–", call.calling_name ? make("span", "soft", ` ${call.calling_name}`) : null),
      make("td", "", call.called),
      make("td", "step", where(call)),
      make("td", "", agent ? agent.name : call.agent || ""),
      make("td", "", call.span ? call.span + (call.slot ? `/${call.slot}` : "") : ""),
      make("td", "", call.state === "ended" ? span(call.ended_utc_us - call.started_utc_us) : since(call.started_utc_us)));
  });
  byId("calls").tBodies[0].replaceChildren(...rows);
  byId("calls").hidden = !rows.length;
  byId("calls-empty").hidden = rows.length > 0;
  const n = [...live.calls.values()].filter(call => call.state !== "ended").length;
  byId("calls-count").textContent = n ? `${n} in progress` : "";
}

function drawQueues() {
  byId("queues").replaceChildren(...sorted(live.queues, "queue").map(queue => {
    const waiters = [...live.calls.values()].filter(call => call.queue === queue.queue && (call.state === "queued" || call.state === "ringing"))
      .sort((a, b) => (a.position || 0) - (b.position || 0));
    return make("div", "queue",
      make("div", "line", make("b", "", queue.queue),
        pill(`${queue.waiting} waiting`, queue.waiting ? "warn" : "off"), pill(`${queue.ready} ready`, queue.ready ? "ok" : "off"),
        pill(`${queue.talking} talking`, queue.talking ? "talking" : "off")),
      make("div", "soft", `today: ${queue.answered_today || 0} answered, ${queue.abandoned_today || 0} gave up, ${queue.overflowed_today || 0} overflowed`),
      waiters.length ? make("div", "waiters", ...waiters.map((call, i) =>
        make("span", "waiter", make("i", "", call.state === "ringing" ? "☎" : String(call.position || i + 1)), call.calling || "unknown", " ", since(call.answered_utc_us || call.started_utc_us)))) : null);
  }));
}

function drawAgents() {
  const agents = sorted(live.agents, "name");
  byId("agents-count").textContent = `${agents.filter(agent => agent.state !== "offline").length} of ${agents.length} logged in`;
  byId("agents").replaceChildren(...agents.map(agent => {
    const call = live.calls.get(agent.call);
    return make("div", "agent",
      make("div", "who", make("b", "", agent.name),
        make("div", "", (agent.queues || []).join(", ") + (agent.phone_registered ? "" : " · phone not registered"))),
      call ? make("span", "soft", call.calling || "unknown") : null,
      pill(agent.reason ? `${agent.state}: ${agent.reason}` : agent.state, agent.state),
      since(agent.since_utc_us));
  }));
}

function drawSpan(nodeName, item) {
  const total = item.kind === "t1" ? 24 : 31, slots = new Map((item.slots || []).map(slot => [slot.slot, slot]));
  const cells = [];
  for (let n = 1; n <= total; n++) {
    const slot = slots.get(n) || { state: "unused" };
    const cell = make("div", "slot " + slot.state, String(n));
    cell.title = `timeslot ${n}: ${SLOT_STATES[slot.state] || slot.state}`;
    cells.push(cell);
  }
  const alarmed = item.alarms && item.alarms !== "OK";
  return make("div", "span",
    make("div", "line", make("b", "", item.span), make("span", "soft", `${item.kind.toUpperCase()} · ${item.law} · ${item.signalling || ""} · ${nodeName}`),
      pill(alarmed ? item.alarms : "no alarm", alarmed ? "bad" : "ok"),
      item.signalling === "none" ? null : pill(`${(item.signalling || "pri").startsWith("pri") ? "D-channel" : "signalling"} ${item.d_channel_up ? "up" : "down"}`, item.d_channel_up ? "ok" : "bad"),
      make("span", "soft", `${cells.filter(cell => cell.classList.contains("busy")).length} in use`)),
    make("div", `slots ${item.kind}`, ...cells));
}

function drawTrunks() {
  const spans = [];
  for (const node of sorted(live.nodes, "node"))
    for (const item of node.spans || []) spans.push(drawSpan(node.node, item));
  byId("trunks").replaceChildren(...spans);
  byId("trunks-empty").hidden = spans.length > 0;
}

function drawCdrs() {
  byId("cdrs").tBodies[0].replaceChildren(...live.cdrs.map(cdr => make("tr", "",
    make("td", "", clock(cdr.ended_utc_us)), make("td", "", cdr.calling || "–"), make("td", "", cdr.called || "–"),
    make("td", "", `${cdr.direction === "in" ? "in " : "out "}${cdr.party || ""}`), make("td", "", cdr.agent || ""),
    make("td", "", span(cdr.duration_ms * 1000)), make("td", "", cdr.billable_ms ? span(cdr.billable_ms * 1000) : "–"),
    make("td", "", cause(cdr.cause)))));
  byId("cdrs").hidden = !live.cdrs.length;
  byId("cdrs-empty").hidden = live.cdrs.length > 0;
}

const sections = { status: drawStatus, figures: drawFigures, calls: drawCalls, queues: drawQueues, agents: drawAgents, trunks: drawTrunks, cdrs: drawCdrs, login: drawLogin,
  faxes() { byId("faxes-count").textContent = live.faxes.size ? ` (${live.faxes.size})` : ""; } };
const stale = new Set();
function redraw(...names) {
  if (!stale.size) requestAnimationFrame(() => { for (const name of stale) sections[name](); stale.clear(); });
  names.forEach(name => stale.add(name));
}

// ---- what comes in ----

const index = (list, key) => new Map(list.map(item => [item[key], item]));

const handlers = {
  snapshot(m) {
    skewMs = m.utc_us / 1000 - Date.now();
    live.desk = m.desk;
    live.nodes = index(m.nodes, "node");
    live.calls = index(m.calls, "call");
    live.agents = index(m.agents, "agent");
    live.queues = index(m.queues, "queue");
    redraw(...Object.keys(sections));
    loadCdrs();
    loadFaxes();
  },
  "call.changed"(m) {
    live.calls.set(m.call.call, m.call);
    if (m.call.state === "ended")
      setTimeout(() => { live.calls.delete(m.call.call); redraw("calls"); }, ENDED_STAYS_MS);
    redraw("calls", "figures", "queues", "agents");
  },
  "agent.changed"(m) { live.agents.set(m.agent.agent, m.agent); redraw("agents", "figures", "calls", "login"); },
  "queue.changed"(m) { live.queues.set(m.queue.queue, m.queue); redraw("queues", "figures"); },
  "node.changed"(m) { live.nodes.set(m.node.node, m.node); redraw("trunks", "status"); },
  "span.changed"(m) {
    const node = live.nodes.get(m.change.node), at = node ? node.spans.findIndex(item => item.span === m.change.span.span) : -1;
    if (at >= 0) node.spans[at] = m.change.span; else if (node) node.spans.push(m.change.span);
    redraw("trunks");
  },
  "desk.changed"(m) { live.desk = m.desk; redraw("status"); },
  "fax.changed"(m) {
    if (FAX_OVER.has(m.fax.state)) live.faxes.delete(m.fax.fax); else live.faxes.add(m.fax.fax);
    redraw("faxes");
  },
  "cdr.stored"(m) { live.cdrs = [m.cdr, ...live.cdrs].slice(0, CDRS_SHOWN); redraw("cdrs"); },
};

function notice(text) {
  byId("notice").textContent = text;
  byId("notice").hidden = !text;
}

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/events`);
  socket.onmessage = message => {
    const m = JSON.parse(message.data);
    notice("");
    if (handlers[m.event]) handlers[m.event](m);
  };
  socket.onclose = event => {
    notice(event.code === 1008 ? "Log in to look on." : "The desk cannot be reached; calls go on. Trying again …");
    setTimeout(connect, RETRY_MS);
  };
}

async function loadCdrs() {
  const answer = await fetch(`/api/cdrs?max=${CDRS_SHOWN}`);
  if (!answer.ok) return;
  live.cdrs = (await answer.json()).cdrs;
  redraw("cdrs");
}

async function loadFaxes() {
  const answer = await fetch("/api/faxes?max=100");
  if (!answer.ok) return;
  live.faxes = new Set((await answer.json()).faxes.filter(fax => !FAX_OVER.has(fax.state)).map(fax => fax.fax));
  redraw("faxes");
}

// ---- an agent's own state ----

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body || {}) });
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(result.error || answer.statusText);
  return result;
}

function button(text, className, act, problem) {
  const element = make("button", className, text);
  element.type = "button";
  element.onclick = () => act().catch(error => { problem.textContent = error.message; });
  return element;
}

function drawLogin() {
  const box = byId("login"), problem = make("span", "error");
  if (agentName) {
    const agent = live.agents.get(agentName), state = agent ? agent.state : "offline";
    const set = (next, reason) => () => post("/api/agent", { state: next, reason });
    box.replaceChildren(make("div", "session", make("b", "", agent ? agent.name : agentName), pill(state),
      button("Ready", "main", set("ready"), problem), button("Break", "", set("break", "break"), problem), button("Offline", "", set("offline"), problem),
      button("Log out", "", async () => { await post("/api/logout"); agentName = null; redraw("login"); }, problem), problem));
    return;
  }
  if (box.querySelector("form")) return; // somebody may be typing
  const name = make("input"), password = make("input"), form = make("form", "", name, password);
  Object.assign(name, { placeholder: "agent", autocomplete: "username", required: true, ariaLabel: "agent" });
  Object.assign(password, { type: "password", placeholder: "password", autocomplete: "current-password", required: true, ariaLabel: "password" });
  form.append(make("button", "main", "Log in"), problem);
  form.onsubmit = async event => {
    event.preventDefault();
    try {
      agentName = (await post("/api/login", { agent: name.value, password: password.value })).agent;
      redraw("login");
    } catch (error) { problem.textContent = error.message; password.value = ""; }
  };
  box.replaceChildren(form);
}

for (const [state, label] of Object.entries(SLOT_STATES))
  byId("legend").append(make("li", "", make("span", "slot " + state), label));
setInterval(() => {
  for (const element of document.querySelectorAll("[data-since]")) element.textContent = span(nowUs() - element.dataset.since);
}, 1000);
fetch("/api/session").then(answer => answer.json()).then(session => { agentName = session.agent; redraw("login"); });
connect();
