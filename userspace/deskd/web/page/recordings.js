// SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"use strict";

const $ = (id) => document.getElementById(id);

function cell(row, content) {
  row.insertCell().append(content ?? "");
}

function length(one) {
  const s = one.ended_utc_us ? Math.round((one.ended_utc_us - one.begun_utc_us) / 1e6) : 0;
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}${one.partial ? ", incomplete" : ""}`;
}

function player(one) {
  const audio = document.createElement("audio");
  audio.controls = true;
  audio.preload = "none";
  audio.src = `/api/recording/${one.file}`;
  audio.setAttribute("aria-label", `Recording of the call from ${one.calling || "unknown"}`);
  return audio;
}

function download(one) {
  const link = document.createElement("a");
  const at = new Date(one.begun_utc_us / 1000).toISOString().slice(0, 19).replace(/:/g, "-");
  link.href = `/api/recording/${one.file}`;
  link.download = `${at}-${one.calling || "unknown"}.${one.name.split(".").pop()}`;
  link.textContent = "Download";
  return link;
}

function show(recordings) {
  for (const one of recordings) {
    const row = $("recordings").tBodies[0].insertRow();
    for (const content of [new Date(one.begun_utc_us / 1000).toLocaleString(), length(one), one.calling, one.queue, one.agent, player(one), download(one)])
      cell(row, content);
  }
  $("recordings").hidden = !recordings.length;
  $("empty").hidden = recordings.length > 0;
  $("count").textContent = recordings.length || "";
}

async function load() {
  const answer = await fetch("/api/recordings?max=200");
  const said = await answer.json();
  if (answer.ok) { show(said.recordings); return; }
  $("notice").textContent = answer.status === 401 ? "Sign in at the softphone first: an agent hears the recordings of its own calls." : said.error;
  $("notice").hidden = false;
}

load().catch(() => { $("notice").textContent = "The desk cannot be reached."; $("notice").hidden = false; });
