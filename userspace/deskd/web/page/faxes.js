// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"use strict";

const faxes = new Map();
const PAST_MAX = 60;
const OVER = new Set(["received", "sent", "failed", "cancelled"]);
const WORDS = {
  converting: "being prepared", waiting: "waiting", calling: "calling", sending: "sending", receiving: "receiving",
  received: "received", sent: "sent", failed: "failed", cancelled: "cancelled",
};
const $ = (id) => document.getElementById(id);
let shown = null; // {fax, page} in the viewer
let mayAct = false;

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function when(us) {
  return us ? new Date(us / 1000).toLocaleString([], { dateStyle: "short", timeStyle: "short" }) : "";
}

function other(fax) {
  const number = fax.direction === "in" ? fax.calling : fax.called;
  return [number, fax.remote_ident && fax.remote_ident !== number ? `(${fax.remote_ident})` : ""].filter(Boolean).join(" ") || "unknown";
}

function state(fax) {
  const pages = fax.pages === 1 ? "1 page" : `${fax.pages} pages`;
  let text = WORDS[fax.state];
  if (fax.state === "waiting" && fax.next_utc_us > Date.now() * 1000) text += ` until ${when(fax.next_utc_us)}`;
  if (fax.state === "receiving") text += `, page ${fax.pages_done + 1}`;
  if (fax.state === "sending") text += ` page ${Math.min(fax.pages_done + 1, fax.pages)} of ${fax.pages}`;
  else if (fax.pages) text += OVER.has(fax.state) && fax.pages_done < fax.pages ? `, ${fax.pages_done} of ${pages}` : `, ${pages}`;
  if (fax.partial) text += ", incomplete";
  if (fax.tries > 1 && fax.direction === "out") text += `, try ${fax.tries}`;
  if (fax.bit_rate) text += `, ${fax.bit_rate} bit/s`;
  return text;
}

function act(fax, what) {
  fetch(`/api/fax/${encodeURIComponent(fax.fax)}/${what}`, { method: "POST" })
    .then((answer) => answer.json()).then((said) => note(said.error || ""))
    .catch(() => note("The desk does not answer."));
}

function note(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

function card(fax) {
  const item = element("li");
  const thumb = element("button", "thumb");
  thumb.type = "button";
  thumb.setAttribute("aria-label", `Look at the fax ${fax.direction === "in" ? "from" : "to"} ${other(fax)}`);
  if (fax.has_document) {
    const image = element("img");
    image.src = `/api/fax/${encodeURIComponent(fax.fax)}/picture`;
    image.alt = "";
    image.loading = "lazy";
    thumb.append(image);
  }
  thumb.addEventListener("click", () => view(fax, 1));
  const text = element("div");
  text.append(element("div", "who", `${fax.direction === "in" ? "From" : "To"} ${other(fax)}`),
    element("p", "what", state(fax)),
    element("p", "what", [when(fax.ended_utc_us || fax.created_utc_us), fax.subject, fax.box].filter(Boolean).join(" · ")));
  if (fax.why && fax.why !== fax.state) text.append(element("p", "why", fax.why));
  if (fax.undelivered) text.append(element("p", "why bad", fax.undelivered === 1 ? "1 letter did not arrive" : `${fax.undelivered} letters did not arrive`));
  if (fax.state === "sending" && fax.pages) {
    const bar = element("progress");
    bar.max = fax.pages;
    bar.value = fax.pages_done;
    text.append(bar);
  }
  const acts = element("div", "acts");
  const button = (label, what) => {
    const made = element("button", "", label);
    made.type = "button";
    made.addEventListener("click", () => act(fax, what));
    acts.append(made);
  };
  if (mayAct && fax.direction === "out" && !OVER.has(fax.state)) button("Cancel", "cancel");
  if (mayAct && (fax.state === "failed" || fax.state === "cancelled") && fax.direction === "out") button("Try again", "retry");
  if (mayAct && fax.state === "received") button("Deliver again", "retry");
  text.append(acts);
  item.append(thumb, text);
  return item;
}

/* One that has not changed stays the element it is: what is pressed or focused is not taken away. */
const cards = new Map();
function cardOf(fax) {
  const drawn = JSON.stringify([fax, mayAct]);
  if (cards.get(fax.fax)?.drawn !== drawn) cards.set(fax.fax, { drawn, item: card(fax) });
  return cards.get(fax.fax).item;
}

function place(list, items) {
  const wanted = new Set(items);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  items.forEach((item, i) => { if (list.children[i] !== item) list.insertBefore(item, list.children[i] || null); });
}

function draw() {
  const all = [...faxes.values()].sort((a, b) => b.created_utc_us - a.created_utc_us);
  const going = all.filter((fax) => !OVER.has(fax.state)), past = all.filter((fax) => OVER.has(fax.state)).slice(0, PAST_MAX);
  place($("going"), going.map(cardOf));
  place($("past"), past.map(cardOf));
  $("going-count").textContent = going.length || "";
  $("going-empty").hidden = going.length > 0;
  $("past-empty").hidden = past.length > 0;
}

let drawing = false;
function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; draw(); });
}

function view(fax, page) {
  shown = { fax, page };
  $("viewer-title").textContent = `${fax.direction === "in" ? "From" : "To"} ${other(fax)}, ${when(fax.created_utc_us)}`;
  for (const one of document.querySelectorAll("#viewer .paper")) one.hidden = !fax.has_document;
  $("viewer-page").textContent = `${page} / ${fax.pages}`;
  if (fax.has_document) $("sheet").src = `/api/fax/${encodeURIComponent(fax.fax)}/page/${page}?width=864`;
  $("sheet").alt = `Page ${page}`;
  $("before").disabled = page <= 1;
  $("after").disabled = page >= fax.pages;
  $("file").href = `/api/fax/${encodeURIComponent(fax.fax)}/document`;
  if (!$("viewer").open) {
    $("viewer").showModal();
    details(fax);
  }
}

function details(fax) {
  $("details").replaceChildren();
  fetch(`/api/fax/${encodeURIComponent(fax.fax)}`).then((answer) => answer.json()).then((said) => {
    const lines = [
      ...(said.tries || []).map((one) => `Try ${one.number}, ${when(one.started_utc_us)}: ${one.result || "under way"}, ${one.pages || 0} pages`),
      ...(said.deliveries || []).map((one) => `${one.kind} to ${one.target}: ${one.state}${one.why ? `, ${one.why}` : ""}`),
    ];
    $("details").replaceChildren(...lines.map((line) => element("p", "", line)));
  });
}

$("before").addEventListener("click", () => view(shown.fax, shown.page - 1));
$("after").addEventListener("click", () => view(shown.fax, shown.page + 1));
$("close").addEventListener("click", () => $("viewer").close());
$("viewer").addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft" && !$("before").disabled) view(shown.fax, shown.page - 1);
  if (event.key === "ArrowRight" && !$("after").disabled) view(shown.fax, shown.page + 1);
});

async function load() {
  const session = await (await fetch("/api/session")).json();
  mayAct = Boolean(session.agent);
  const said = await (await fetch("/api/faxes?max=100")).json();
  if (said.error) note(said.error);
  faxes.clear();
  for (const fax of said.faxes || []) faxes.set(fax.fax, fax);
  draw();
}

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/api/events`);
  socket.addEventListener("open", () => { $("status").textContent = "live"; load(); });
  socket.addEventListener("message", (message) => {
    const said = JSON.parse(message.data);
    if (said.event === "delivery.changed" && $("viewer").open && said.delivery.about === shown.fax.fax) details(shown.fax);
    if (said.event === "delivery.changed" && (said.delivery.state !== "waiting")) load();
    if (said.event !== "fax.changed") return;
    faxes.set(said.fax.fax, { undelivered: faxes.get(said.fax.fax)?.undelivered, ...said.fax });
    drawSoon();
  });
  socket.addEventListener("close", () => { $("status").textContent = "connecting ..."; setTimeout(connect, 2000); });
}
connect();
