// Keeps a page current. The stream says only that something changed; what may be seen is fetched.

import { show } from "./parts.js";

export function live() {
  const url = document.body.dataset.changes;
  if (!url || !("EventSource" in window)) return;
  const refresh = one_at_a_time(() => show(location.href));
  const stream = new EventSource(url);
  stream.addEventListener("changed", refresh);
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  let before = counted();
  document.addEventListener("shown", () => {
    const now = counted();
    if (now > before) say(`${now - before} new decision${now - before === 1 ? "" : "s"}`);
    before = now;
  });
}

// News that come while the page is fetched are fetched once more, however many they are.
function one_at_a_time(work) {
  let busy = false;
  let again = false;
  return async () => {
    again = busy;
    if (busy) return;
    do {
      busy = true;
      again = false;
      await work();
      busy = false;
    } while (again);
  };
}

function counted() {
  return Number(document.querySelector("[data-count]")?.dataset.count ?? 0);
}

function say(words) {
  document.getElementById("live").textContent = words;
}
