// Keeps a page current. The stream says only that something changed; what may be seen is fetched.

import { show } from "./parts.js";

const REST_MS = 100; // between two fetches; the stream itself says no more than four times a second
const REST_MS_MAX = 10000; // after a fetch that failed, doubled each time
const SAID_MS = 8000; // what was said stays for so long; the count stays anyway

const STALE = "Load this page again to see what is new.";

let said;

export function live() {
  const url = document.body.dataset.changes;
  if (!url || !("EventSource" in window)) return;
  const refresh = oneAtATime(fetched);
  let stream = null;
  const open = () => {
    stream = new EventSource(url); // which begins with how things are now
    stream.addEventListener("changed", refresh);
    stream.addEventListener("error", () => {
      if (stream.readyState === EventSource.CLOSED) say(STALE);
    });
  };
  open();
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  // A browser opens six connections to a server, so tabs in the background let go of theirs, but
  // for those that count in their title.
  document.addEventListener("visibilitychange", () => {
    if (document.querySelector("[data-count]")) return;
    stream.close();
    if (!document.hidden) open();
  });
  let before = counted();
  document.addEventListener("shown", () => {
    const now = counted();
    if (now > before) say(`${now - before} new decision${now - before === 1 ? "" : "s"}`);
    before = now;
  });
}

// News are told once, so the page is fetched until that succeeds, or is refused.
async function fetched() {
  for (let rest = REST_MS; ; rest = Math.min(2 * rest, REST_MS_MAX)) {
    const status = await show(location.href);
    if (status >= 400 && status < 500 && status !== 429) say(STALE);
    if (status && status < 500 && status !== 429) return;
    await pause(rest);
  }
}

function pause(ms) {
  return new Promise((rested) => setTimeout(rested, ms));
}

// News that come while the page is fetched are fetched once more, however many they are.
function oneAtATime(work) {
  let busy = false;
  let again = false;
  return async () => {
    again = busy;
    if (busy) return;
    do {
      busy = true;
      again = false;
      await work();
      await pause(REST_MS);
      busy = false;
    } while (again);
  };
}

function counted() {
  return Number(document.querySelector("[data-count]")?.dataset.count ?? 0);
}

function say(words) {
  const place = document.getElementById("live");
  place.textContent = words;
  clearTimeout(said);
  said = setTimeout(() => place.replaceChildren(), SAID_MS);
}
