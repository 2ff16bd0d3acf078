// While somebody types: what was, and what it becomes. The server judges what is sent all the same.

const form = document.querySelector("#edit");
const panel = form.querySelector("#changes");
const list = panel.querySelector(".diff");
const none = panel.querySelector("[data-none]");

const shown = (text) => text.replace(/[^\P{C}\n]|[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]|[\p{Zl}\p{Zp}]/gu,
  (char) => `\\u{${char.codePointAt(0).toString(16)}}`);

const isPick = (field) => field.type === "radio" || field.type === "checkbox";
const picked = (field, was) => (was ? "was" in field.dataset : field.checked);
const options = (field, was) =>
  [...field.options].filter((one) => (was ? "was" in one.dataset : one.selected)).map((one) => one.text);

// What each argument says, whatever fields it has: now, or before anybody typed.
const values = (was) => {
  const found = new Map();
  for (const field of form.elements) {
    const [, path] = field.name?.match(/^(?:arg|none)\.(.*)$/) ?? [];
    if (path === undefined) continue;
    if (!found.has(path)) found.set(path, []);
    const parts = found.get(path);
    if (isPick(field)) {
      if (picked(field, was)) parts.push(field.dataset.said ?? "no value");
    } else if (field.tagName === "SELECT") {
      parts.push(...options(field, was));
    } else {
      parts.push(was ? field.dataset.was : field.value);
    }
  }
  return new Map([...found].map(([path, parts]) => [path, parts.filter((part) => part !== "").join(", ")]));
};

const line = (tag, word, text) => {
  const made = document.createElement(tag);
  const sr = document.createElement("span");
  sr.className = "sr";
  sr.textContent = `${word} `;
  made.append(sr, text === "" ? "nothing" : shown(text));
  return made;
};

const before = values(true);
const show = () => {
  const now = values(false);
  const changed = [...now].filter(([path, text]) => text !== before.get(path));
  list.replaceChildren(...changed.flatMap(([path, text]) => {
    const name = document.createElement("h3");
    name.textContent = path;
    return [name, line("del", "was", before.get(path) ?? ""), line("ins", "becomes", text)];
  }));
  none.hidden = changed.length > 0;
};

panel.hidden = false;
form.querySelector("[data-review]").hidden = true;
form.querySelector("[data-send]").hidden = false;
form.addEventListener("input", show);
show();
