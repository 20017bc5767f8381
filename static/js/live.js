// Live events. The server says what changed, never how it looks: who listens fetches the piece.
//   document "keel:events" {events: [{id, name, topic, record, data}]}: gathered over 200-300 ms
//   document "keel:<name>" {events}: those of one name, for hx-trigger="keel:member.inbox_changed from:document"
//   document "keel:refetch" {}: load everything again, something was missed
// <body data-live-url data-live-poll data-live-topics="me,pipeline:…" data-live-after data-org>; topics may change.
// A stream that can't be had is replaced by polling. Browsers log every failed connection to the console, whatever
// script does, so: one attempt, then polling, whose answer says whether a live process runs at all; a port that was
// not reached is left alone for 30 s, then longer, up to ten minutes, across pages; nothing is tried while offline.
const { liveUrl, livePoll, org } = document.body.dataset;
const OFF = "keel:live:off"; // sessionStorage: until when the stream is left alone, ms
const TRIES = "keel:live:tries"; // sessionStorage: attempts in a row that reached nobody
const GATHER = 200;
const QUIET = 50_000; // ms without a heartbeat (they come every 20 s) after which a stream is dead
const HIDDEN = 60_000; // ms in the background after which the connection is given up
const OPENING = 10_000; // ms a stream may take to open: a seventh tab waits for ever in HTTP/1.1
const LEFT_ALONE = [30_000, 120_000, 600_000]; // ms, after the first, second, further attempts

let last = document.body.dataset.liveAfter ?? "";
let source = null; // the open EventSource
let opened = false; // whether it has ever said something
let stopped = !livePoll; // signed out, or no organisation's page
let events = [];
let flushing, polling, watching, hiding;

const jitter = (ms) => Math.random() * ms;
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

function gather(event) {
  events.push(event);
  flushing ??= setTimeout(() => {
    flushing = undefined;
    const batch = events.splice(0);
    if (batch.length) tell("keel:events", { events: batch });
    for (const name of new Set(batch.map((e) => e.name)))
      tell(`keel:${name}`, { events: batch.filter((e) => e.name === name) });
  }, GATHER + jitter(100));
}

function refetch() {
  events = [];
  setTimeout(() => tell("keel:refetch", {}), jitter(1000)); // after an outage, all pages of a team come at once
}

function streamUrl() {
  const url = new URL(`${liveUrl}/live/${org}/`, location.href);
  url.search = new URLSearchParams({ topics: document.body.dataset.liveTopics ?? "", after: last });
  return url;
}

const worthATry = () =>
  navigator.onLine && streamUrl().hostname === location.hostname && Number(sessionStorage.getItem(OFF) ?? 0) < Date.now();

function close() {
  source?.close();
  source = null;
  clearTimeout(watching);
  clearTimeout(polling);
  polling = undefined;
}

function stop() {
  stopped = true;
  close();
}

function leaveAlone() {
  const tries = Number(sessionStorage.getItem(TRIES) ?? 0);
  sessionStorage.setItem(TRIES, tries + 1);
  sessionStorage.setItem(OFF, Date.now() + LEFT_ALONE[Math.min(tries, LEFT_ALONE.length - 1)]);
}

// Falls back to polling; `soon` ms until the first poll.
function fail(soon = 1000) {
  if (source && !opened) leaveAlone();
  close();
  if (!stopped && !document.hidden) polling = setTimeout(poll, soon + jitter(500));
}

function watch(ms) {
  clearTimeout(watching);
  watching = setTimeout(fail, ms);
}

function hear(name, handle) {
  const from = source;
  source.addEventListener(name, (e) => {
    if (source !== from) return;
    if (!opened) sessionStorage.removeItem(TRIES);
    opened = true;
    if (e.lastEventId) last = e.lastEventId;
    watch(QUIET);
    handle(e);
  });
}

function connect() {
  if (stopped || document.hidden) return;
  if (!worthATry()) return fail(0);
  close();
  opened = false;
  source = new EventSource(streamUrl(), { withCredentials: true });
  watch(OPENING);
  hear("tick", () => {});
  hear("change", (e) => gather(JSON.parse(e.data)));
  hear("reset", refetch);
  hear("signed-out", stop);
  hear("unavailable", () => fail());
  source.addEventListener("error", () => fail());
}

async function poll() {
  polling = undefined;
  if (stopped || document.hidden) return;
  if (!navigator.onLine) return; // "online" goes on
  const query = new URLSearchParams({ topics: document.body.dataset.liveTopics ?? "", after: last });
  let answer = { wait: 10 };
  try {
    const response = await fetch(`${livePoll}?${query}`, { headers: { Accept: "application/json" } });
    const json = response.headers.get("Content-Type")?.includes("json");
    if (response.redirected || (response.ok && !json) || response.status === 404) return stop(); // the log-in page
    if (response.ok) answer = await response.json();
  } catch {
    // The server is away; so is its console's silence. Asked again below.
  }
  if (answer.id) last = answer.id;
  if (answer.reset) refetch();
  answer.events?.forEach(gather);
  if (answer.stream && worthATry()) connect();
  else if (!source && !stopped && !document.hidden) polling = setTimeout(poll, answer.wait * 1000 + jitter(500));
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(close, HIDDEN);
  else if (!source && !polling) connect();
});
// A laptop that slept: its timers stood still while the clock went on. The server knows what was missed since `last`.
let beat = Date.now();
setInterval(() => {
  const slept = Date.now() - beat > 30_000;
  beat = Date.now();
  if (slept && !document.hidden) connect();
}, 10_000);
addEventListener("online", connect);
addEventListener("offline", close);
addEventListener("pagehide", close); // an open stream would keep the page out of the back-forward cache
addEventListener("pageshow", (e) => e.persisted && connect());
new MutationObserver(connect).observe(document.body, { attributeFilter: ["data-live-topics"] });
if (!stopped) connect();
