// Settings whose rows have an order (stages of a pipeline, fields of a record type): by drag or arrow keys; colour by menu.
import { toast } from "./toast.js";

// Rows may stand in several lists, one below the other; their order is saved as one.
const lists = () => [...document.querySelectorAll("[data-stages]")];
const say = (words) => (document.getElementById("live").textContent = words);
const saved = () => {
  const note = document.querySelector("[data-saved]");
  if (note) note.hidden = false;
};

async function saveOrder() {
  const all = lists();
  const body = new URLSearchParams(all.flatMap((rows) => [...rows.children]).map((row) => [all[0].dataset.param, row.dataset.id]));
  const csrf = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const response = await fetch(all[0].dataset.stages, { method: "PUT", body, headers: { "X-CSRFToken": csrf, Accept: "application/json" } }).catch(() => null);
  if (response?.ok && !response.redirected) {
    saved();
    return;
  }
  const problem = await response?.json().catch(() => null);
  toast({ kind: "error", text: problem?.detail ?? document.getElementById("texts").dataset.offline });
}

function ready() {
  for (const rows of lists()) {
    if (rows.dataset.ready || !globalThis.Sortable) continue;
    rows.dataset.ready = "1";
    globalThis.Sortable.create(rows, {
      handle: ".handle",
      animation: 160,
      ghostClass: "is-ghost",
      onEnd: (e) => e.oldIndex !== e.newIndex && saveOrder(),
    });
  }
}
ready();
document.addEventListener("htmx:load", ready);

let timer;
document.addEventListener("keydown", (e) => {
  const row = e.target.closest?.("[data-stages] .handle")?.closest("li");
  if (!row || !/^Arrow(Up|Down)$/.test(e.key)) return;
  e.preventDefault();
  if (e.key === "ArrowUp") row.previousElementSibling?.before(row);
  else row.nextElementSibling?.after(row);
  e.target.focus();
  const list = row.parentElement;
  const rows = [...list.children];
  const words = { stage: row.dataset.name, place: rows.indexOf(row) + 1, count: rows.length };
  say(list.dataset.place.replace(/\{(\w+)\}/g, (_, key) => words[key]));
  clearTimeout(timer);
  timer = setTimeout(saveOrder, 400); // one request for several presses
});

// Colour: one menu for all rows, at the swatch that opened it.
let swatch = null;
document.addEventListener("click", (e) => {
  const opener = e.target.closest(".swatch[data-patch]");
  if (opener) {
    swatch = opener;
    const now = opener.closest("li").dataset.tone;
    for (const item of document.querySelectorAll("[data-tone-choice]")) item.setAttribute("aria-checked", String(item.dataset.toneChoice === now));
  }
  const choice = e.target.closest("[data-tone-choice]");
  if (!choice || !swatch) return;
  swatch.closest("li").dataset.tone = choice.dataset.toneChoice;
  htmx.ajax("PATCH", swatch.dataset.patch, { source: swatch, values: { tone: choice.dataset.toneChoice }, swap: "none" });
});

document.addEventListener("htmx:afterRequest", (e) => {
  const field = e.target;
  const accepted = e.detail.xhr.status >= 200 && e.detail.xhr.status < 300; // a 422 counts as successful for htmx
  if (!field.matches?.("[data-stages] input, .swatch")) return;
  if (field.matches("input")) field.setAttribute("aria-invalid", String(!accepted));
  if (accepted) saved();
});
