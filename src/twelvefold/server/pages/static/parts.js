// A page has parts, each with an id and `data-live`. They are fetched with the page they stand in,
// so there is one template for all, and only what differs is changed.

import { morph } from "./morph.js";

let newest = 0;

// The page at `url`, in the parts of this one; the status of the answer, 0 without one. Whoever comes
// later wins, and shows the address as it is then: so the address is changed before this is called.
export async function show(url) {
  const turn = ++newest;
  const answer = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return answer?.status ?? 0;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (turn !== newest) return answer.status;
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const fresh = page.getElementById(part.id);
    if (fresh) morph(part, document.adoptNode(fresh));
  }
  document.title = page.title;
  document.dispatchEvent(new Event("shown"));
  return answer.status;
}

export function parts() {
  document.addEventListener("click", follow);
  addEventListener("popstate", () => show(location.href));
  for (const form of document.querySelectorAll("form[data-slider]")) slider(form);
}

async function follow(event) {
  const link = event.target.closest?.("a[data-part]");
  if (!link || event.defaultPrevented || event.button) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  if ((await show(link.href)) !== 200) {
    location.reload();
    return;
  }
  const target = link.hash && document.getElementById(link.hash.slice(1));
  if (target) target.focus({ preventScroll: isInView(target) });
}

function isInView(element) {
  const { top } = element.getBoundingClientRect();
  return top >= 0 && top < innerHeight;
}

// Time moves while the slider does; its address is kept, so that it can be shared.
function slider(form) {
  const range = form.querySelector("input[type=range]");
  form.classList.add("moves");
  range.addEventListener("input", () => {
    const url = new URL(location.href);
    if (range.value === range.max) url.searchParams.delete("at");
    else url.searchParams.set("at", range.value);
    url.searchParams.delete("page");
    history.replaceState(null, "", url);
    show(url);
  });
}
