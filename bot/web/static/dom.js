// Makes elements, and keeps lists of them up to date. Texts are only ever set as text.

/** An element with these properties (`data` becomes data-*, `aria-*` attributes) and children. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "data") Object.assign(made.dataset, value);
    else if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

const drawnFrom = new WeakMap();

/**
 * Lets `list` show `items`, each with the element that `draw` makes of it. Only what has
 * changed is drawn anew; focus and opened details stay where they are.
 */
export function redraw(list, items, keyOf, draw) {
  const keys = new Set(items.map(keyOf));
  const shown = new Map();
  for (const child of [...list.children]) {
    if (keys.has(child.dataset.key)) shown.set(child.dataset.key, child);
    else child.remove();
  }
  items.forEach((item, index) => {
    const current = brought(shown.get(keyOf(item)), item, draw);
    current.dataset.key = keyOf(item);
    if (list.children[index] !== current) list.insertBefore(current, list.children[index] ?? null);
  });
}

/** The element that shows `item` now: `old`, or a new one in its place. */
function brought(old, item, draw) {
  const source = JSON.stringify(item);
  if (old && drawnFrom.get(old) === source) return old;
  const fresh = draw(item);
  drawnFrom.set(fresh, source);
  if (old) replace(old, fresh);
  return fresh;
}

function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const wasOpen = old.querySelector("details")?.open;
  old.replaceWith(fresh);
  const details = fresh.querySelector("details");
  if (details) details.open = Boolean(wasOpen);
  if (focused) {
    const same = `[data-focus="${CSS.escape(focused.dataset.focus ?? "")}"]`;
    (fresh.querySelector(same) ?? fresh).focus({ preventScroll: true });
  }
}

/** A moment as people read it: the time, with the date unless it is today. */
export function moment(date) {
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? "" : `${date.toLocaleDateString([], { day: "numeric", month: "short" })}, `;
  return element(
    "time",
    { dateTime: date.toISOString(), title: date.toLocaleString() },
    day + time,
  );
}
