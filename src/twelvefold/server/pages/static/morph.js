// Makes a part of the page like the server's newest version of it, and leaves people their own:
// what they type, where they are, what they unfolded. Elements with an id are the same element.

const OWN = "input, textarea, select";
const KEPT = new Set(["open"]);

export function morph(from, to) {
  if (from.isEqualNode(to)) return from;
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return to;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return from;
  }
  if (from.matches(OWN)) {
    if (from.type === "range") slide(from, to);
    return from;
  }
  attributes(from, to);
  children(from, to);
  return from;
}

function slide(from, to) {
  from.max = to.max;
  if (from !== document.activeElement) from.value = to.getAttribute("value");
}

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!KEPT.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (!KEPT.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function children(from, to) {
  const wanted = new Set([...to.children].map((child) => child.id).filter(Boolean));
  const named = new Map();
  for (const child of [...from.children]) {
    if (!child.id) continue;
    if (wanted.has(child.id)) named.set(child.id, child);
    else child.remove();
  }
  let next = from.firstChild;
  for (const child of [...to.childNodes]) {
    const old = child.id ? named.get(child.id) : unnamed(next, child);
    if (!old) {
      from.insertBefore(child, next);
      continue;
    }
    if (old === next) next = next.nextSibling;
    else move(from, old, next);
    morph(old, child);
  }
  while (next) {
    const after = next.nextSibling;
    next.remove();
    next = after;
  }
}

function unnamed(next, child) {
  return next && !next.id && next.nodeName === child.nodeName ? next : null;
}

// A plain move would take the focus away from what is moved.
function move(parent, child, before) {
  if (parent.moveBefore) parent.moveBefore(child, before);
  else parent.insertBefore(child, before);
}
