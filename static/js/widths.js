// Widths of columns: dragged at the edge of a head, or by arrow keys there; kept in this browser for each list and view.
const STEP = 16;
const [LEAST, MOST] = [72, 640]; // px
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

const table = () => document.querySelector("[data-table][data-widths]");
const place = () => `keel:widths:${table().dataset.widths}:${new URLSearchParams(location.search).get("view") ?? ""}`;
const keyOf = (head) => head.dataset.col ?? "";

function kept() {
  try {
    return JSON.parse(localStorage.getItem(place())) ?? {};
  } catch {
    return {}; // somebody else's value
  }
}

// Rules, not attributes: rows that come later have their widths at once.
function apply(widths) {
  const rules = Object.entries(widths).map(([key, px]) => {
    const cells = key ? `[data-col="${CSS.escape(key)}"]` : ":is(th, td).first";
    return `@media (width >= 768px) { [data-widths] ${cells} { width: ${px}px; min-width: ${px}px; max-width: ${px}px; } }`;
  });
  sheet.replaceSync(rules.join("\n"));
}

function resize(head, px) {
  const width = Math.round(Math.max(LEAST, Math.min(MOST, px)));
  const widths = { ...kept(), [keyOf(head)]: width };
  localStorage.setItem(place(), JSON.stringify(widths));
  apply(widths);
  head.querySelector(".resize").setAttribute("aria-valuenow", width);
}

// Each head gets a handle: it needs script, so script puts it there.
function ready() {
  if (!table()) return;
  apply(kept());
  const words = document.querySelector("[data-resize-label]")?.dataset.resizeLabel ?? "{name}";
  for (const head of table().querySelectorAll("thead th:not(.pick)")) {
    if (head.querySelector(".resize")) continue;
    const handle = document.createElement("span");
    const values = { class: "resize", role: "separator", tabindex: "0", "aria-orientation": "vertical" };
    values["aria-label"] = words.replace("{name}", head.textContent.trim());
    Object.assign(values, { "aria-valuemin": LEAST, "aria-valuemax": MOST, "aria-valuenow": Math.round(head.offsetWidth) });
    for (const [name, value] of Object.entries(values)) handle.setAttribute(name, value);
    head.append(handle);
  }
}
ready();
document.addEventListener("htmx:afterSettle", ready);

document.addEventListener("pointerdown", (e) => {
  const handle = e.target.closest?.(".resize");
  if (!handle || e.button) return;
  e.preventDefault();
  const head = handle.parentElement;
  const [from, start] = [head.offsetWidth, e.clientX];
  handle.setPointerCapture(e.pointerId);
  const follow = (move) => resize(head, from + move.clientX - start);
  handle.addEventListener("pointermove", follow);
  handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", follow), { once: true });
});
document.addEventListener("keydown", (e) => {
  const head = e.target.closest?.(".resize")?.parentElement;
  const by = { ArrowLeft: -STEP, ArrowRight: STEP }[e.key];
  if (!head || !by) return;
  e.preventDefault();
  resize(head, head.offsetWidth + by);
});
// A double click gives a column its own width again.
document.addEventListener("dblclick", (e) => {
  const head = e.target.closest?.(".resize")?.parentElement;
  if (!head) return;
  const { [keyOf(head)]: _gone, ...rest } = kept();
  localStorage.setItem(place(), JSON.stringify(rest));
  apply(rest);
});
