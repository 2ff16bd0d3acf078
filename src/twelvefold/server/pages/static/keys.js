// Single keys, for those who decide a lot. They move the focus and never press anything that
// decides; one switch turns them off, and this browser remembers that.

const OFF = "twelvefold.keys.off";
const TYPING = "input, textarea, select, [contenteditable]";
const KEYS = [
  ["j", "the next one of a list"],
  ["k", "the one before"],
  ["Enter", "open it"],
  ["a", "go to Approve; Enter then presses it"],
  ["r", "go to Deny"],
  ["e", "edit"],
  ["/", "search"],
  ["?", "this help"],
];

export function keys() {
  const help = helped();
  document.querySelector(".top")?.append(help.button);
  document.body.append(help.dialog);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest(TYPING) || help.dialog.open) return;
    if (event.key === "?") {
      event.preventDefault();
      help.dialog.showModal();
    } else if (isOn() && pressed(event.key)) event.preventDefault();
  });
}

function isOn() {
  return localStorage.getItem(OFF) === null;
}

function pressed(key) {
  if (key === "j") return moved(1);
  if (key === "k") return moved(-1);
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return false;
  if (target.matches("a")) target.click();
  else target.focus();
  return true;
}

function moved(by) {
  const items = [...document.querySelectorAll("[data-item]")];
  if (!items.length) return false;
  const at = items.findIndex((item) => item.contains(document.activeElement));
  const place = at < 0 ? (by > 0 ? 0 : items.length - 1) : at + by;
  items[Math.min(Math.max(place, 0), items.length - 1)].querySelector("a")?.focus();
  return true;
}

function helped() {
  const button = made("button", { type: "button", className: "keys plain" }, "Keys ?");
  const dialog = made("dialog", { className: "sheet stack" });
  dialog.setAttribute("aria-labelledby", "keys-title");
  const box = made("input", { type: "checkbox", checked: isOn() });
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  const rows = KEYS.flatMap(([key, does]) => [
    made("dt", {}, made("kbd", {}, key)),
    made("dd", {}, does),
  ]);
  const close = made("button", { type: "button" }, "Close");
  close.addEventListener("click", () => dialog.close());
  dialog.append(
    made("h2", { id: "keys-title" }, "Keys"),
    made("dl", { className: "facts-of" }, ...rows),
    made("label", { className: "pick" }, box, " Single keys work"),
    close,
  );
  button.addEventListener("click", () => dialog.showModal());
  return { button, dialog };
}

function made(name, properties, ...inside) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...inside);
  return element;
}
