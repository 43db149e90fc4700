// Every page is rendered by the server and works without this script. With it, pages follow the server: when an event
// tells that something changed, or a filter does, the page is fetched again and what differs is put in its place.
"use strict";

const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
const one = (selector, root = document) => root.querySelector(selector);

// --- Times: in the visitor's own zone, and counted by the server's clock.

let ahead = 0; // milliseconds by which the server's clock is ahead of this one
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const units = [["year", 31536000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const now = () => Date.now() + ahead;

function setClock(doc) {
  ahead = Number(doc.documentElement.dataset.now) - Date.now();
}

function relativeText(at) {
  const seconds = Math.round((at - now()) / 1000);
  const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) || ["second", 1];
  return relative.format(Math.trunc(seconds / length), unit);
}

function countdownText(at) {
  const left = Math.max(0, Math.ceil((at - now()) / 1000));
  if (left === 0) return "now";
  const part = (n) => String(n).padStart(2, "0");
  const days = Math.floor(left / 86400);
  const clock = `${part(Math.floor(left / 3600) % 24)}:${part(Math.floor(left / 60) % 60)}:${part(left % 60)}`;
  return "in " + (days > 0 ? `${days} d ` : "") + clock;
}

function showTimes(root) {
  for (const time of all("time[data-time]", root)) {
    const at = new Date(time.dateTime);
    const kind = time.dataset.time;
    const text = kind === "full" ? full.format(at) : kind === "relative" ? relativeText(at) : countdownText(at);
    if (time.textContent !== text) time.textContent = text;
    if (kind !== "full") time.title = full.format(at);
  }
}

// --- Taking over what differs. Elements keep their identity, so that focus, ticks and open details stay.

const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id : "";
const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

function takeAttributes(old, fresh) {
  for (const { name } of Array.from(old.attributes)) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of Array.from(fresh.attributes)) {
    if (name === "open" && old.nodeName === "DETAILS") continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function take(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  takeAttributes(old, fresh);
  let at = old.firstChild;
  for (const child of Array.from(fresh.childNodes)) {
    let match = at;
    if (keyOf(child)) {
      match = Array.from(old.childNodes).find((other) => alike(other, child)) || null;
      if (match && match !== at) old.insertBefore(match, at);
    } else if (match && !alike(match, child)) {
      match = null;
    }
    if (match) {
      take(match, child);
      at = match.nextSibling;
    } else {
      old.insertBefore(document.importNode(child, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const sayings = () => new Map(all("[data-live] [data-say]").map((e) => [e.closest("[data-live]").dataset.live + " " + e.dataset.key, e.dataset.say]));
let unsaid = new Map();

// announce reads out what changed, at most once in two seconds, and of each thing only how it is then.
function announce(changes) {
  if (unsaid.size === 0 && changes.length > 0) {
    setTimeout(() => {
      one("[data-announcements]").textContent = Array.from(unsaid.values()).join(". ");
      unsaid = new Map();
    }, 2000);
  }
  for (const [key, text] of changes) unsaid.set(key, text);
}

async function fetchPage(address, options = {}) {
  const answer = await fetch(address, { headers: { Accept: "text/html", ...options.headers }, signal: options.signal });
  if (new URL(answer.url).pathname === "/console/sign-in") throw new SignedOut();
  if (answer.status === 404) throw new Gone();
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

class SignedOut extends Error {}

class Gone extends Error {} // what the page shows was deleted

function takePage(fresh) {
  setClock(fresh);
  showTimes(fresh);
  const before = sayings();
  for (const old of all("[data-live]")) {
    const next = one(`[data-live="${old.dataset.live}"]`, fresh);
    if (next) take(old, next);
  }
  showTicked();
  return Array.from(sayings()).filter(([key, text]) => before.get(key) !== text);
}

// --- Following events.

const retryAfter = 3000; // milliseconds until the server is tried again
const silence = 30000; // milliseconds without a word from the server, after which it is asked whether it is there
let pause = 50; // milliseconds between two fetches, at least
let last = 0; // when the last one began
let heard = performance.now(); // when the server last said anything
let refreshing = false;
let again = false; // something changed since the fetch under way began

function refresh() {
  if (refreshing || document.hidden) {
    again = true;
    return;
  }
  refreshing = true;
  setTimeout(fetchAgain, Math.max(0, last + pause - performance.now()));
}

async function fetchAgain() {
  last = performance.now();
  again = false;
  const address = location.href;
  try {
    const page = await fetchPage(address, { headers: { "Syncpayloads-Refresh": "1" }, signal: AbortSignal.timeout(silence) });
    heard = performance.now();
    if (events && events.readyState === EventSource.OPEN) showConnection("Live", false);
    if (address === location.href) announce(takePage(page));
    else again = true;
  } catch (error) {
    if (error instanceof SignedOut) signedOut();
    else if (error instanceof Gone) location.reload(); // the server says what is not there
    else lost();
    again = false;
  }
  refreshing = false;
  if (again) refresh();
}

document.addEventListener("visibilitychange", () => { if (!document.hidden && again) refresh(); });

let events = null;

function showConnection(text, lost) {
  const shown = one("[data-connection]");
  shown.hidden = false;
  shown.classList.toggle("lost", lost);
  one("[data-connection-text]").textContent = text;
}

const isSignedOut = () => one("[data-connection] a") !== null;

function signedOut() {
  if (events) events.close();
  showConnection("Signed out.", true);
  if (isSignedOut()) return;
  const link = document.createElement("a");
  link.href = "/console/sign-in?return=" + encodeURIComponent(location.pathname + location.search);
  link.textContent = "Sign in";
  one("[data-connection]").append(link);
}

let following = 0; // the timer of the next try to follow

function follow() {
  events = new EventSource(document.body.dataset.stream);
  events.onopen = () => {
    heard = performance.now();
    refresh(); // whatever was missed; then it is live
  };
  events.onerror = () => {
    showConnection("Reconnecting…", true);
    // The browser comes back by itself, unless the server answered with an error. A fetch tells whether that is
    // because nobody is signed in any more.
    if (events.readyState === EventSource.CLOSED) {
      refresh();
      followAgain();
    }
  };
  for (const kind of ["snapshot", "actionStarted", "payloadChanged", "actionChanged", "deviceEnrolled", "deviceReenrolled", "deviceUpdated", "deviceLeft", "deviceDeleted"]) {
    events.addEventListener(kind, () => {
      heard = performance.now();
      refresh();
    });
  }
}

function followAgain() {
  clearTimeout(following);
  following = setTimeout(() => {
    events.close();
    if (!isSignedOut()) follow();
  }, retryAfter);
}

// lost is when the server cannot be reached. A stream over a network that has gone looks open for long.
function lost() {
  showConnection("Reconnecting…", true);
  if (events) {
    events.close();
    followAgain();
  }
}

// --- Forms.

let searching = null;

async function search(form) {
  if (searching) searching.abort();
  searching = new AbortController();
  const values = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim() !== "") values.append(name, value);
  const address = form.action.replace(/#.*/, "") + (values.size > 0 ? "?" + values : "");
  try {
    const page = await fetchPage(address, { signal: searching.signal });
    history.replaceState(null, "", address);
    takePage(page);
    const count = one("[data-count]");
    if (count) announce([["count", count.textContent]]);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error instanceof SignedOut) signedOut();
    else form.submit();
  }
}

function instant(form) {
  let waiting = 0;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => search(form), event.target.type === "search" ? 250 : 0);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    search(form);
  });
}

function showTicked() {
  for (const shown of all("[data-ticked]")) {
    const n = all("input[name=off]:checked", shown.closest("form")).length;
    shown.textContent = n === 0 ? "nothing is to be off" : `${n} to be off`;
  }
}

setClock(document);
showTimes(document);
showTicked();
setInterval(() => showTimes(document), 1000);
document.addEventListener("change", showTicked);
for (const form of all("form[data-instant]")) instant(form);
for (const radio of all(".custom input[type=radio]")) {
  radio.closest(".custom").addEventListener("input", () => { radio.checked = true; });
}
for (const form of all("form[data-submit]")) {
  history.replaceState(null, "", location.pathname); // the code is not to stay in the history
  form.submit();
}
if (document.body.dataset.stream) {
  if (document.body.dataset.stream === "/console/events") pause = 2000; // a whole fleet changes often
  showConnection("Connecting…", true);
  follow();
  addEventListener("offline", lost);
  addEventListener("online", followAgain);
  setInterval(() => { if (performance.now() - heard > silence && !isSignedOut()) refresh(); }, silence / 3);
}
