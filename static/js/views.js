// How a list is shown: sorting by several heads, picking columns, groups, density, links to views.
import { sync } from "./picks.js";
import { toast } from "./toast.js";
import "./widths.js";
import "./choice-board.js";

// Shift and a click, or Shift and Enter, on a head sorts by it too.
document.addEventListener("click", (e) => {
  const head = e.shiftKey ? e.target.closest("[data-sort-too]") : null;
  if (!head?.dataset.sortToo) return;
  e.preventDefault();
  location.assign(head.dataset.sortToo);
});

// ---- groups: the rows are loaded when a group is first opened, and hidden while it is closed
document.addEventListener("click", (e) => {
  const twist = e.target.closest("[data-twist]");
  if (!twist) return;
  const open = twist.ariaExpanded !== "true";
  twist.setAttribute("aria-expanded", String(open));
  twist.closest("tbody").dataset.open = String(open);
  sync();
});

// ---- density: what was chosen last for the type and view, unless the address or the view says something else
const listed = () => document.querySelector("[data-table][data-widths]");
const density = () => `keel:density:${listed().dataset.widths}:${new URLSearchParams(location.search).get("view") ?? ""}`;
document.addEventListener("click", (e) => {
  const chosen = e.target.closest("a[data-set-density]");
  if (chosen && listed()) localStorage.setItem(density(), chosen.dataset.setDensity);
});
function remembered() {
  const chosen = listed() && !listed().dataset.density && localStorage.getItem(density());
  if (chosen) listed().dataset.density = chosen;
}
remembered();
document.addEventListener("htmx:afterSettle", remembered);

// ---- columns: search, drag; the buttons that move a row are those of every form
document.addEventListener("input", (e) => {
  if (!e.target.matches("[data-find-column]")) return;
  const text = e.target.value.trim().toLocaleLowerCase();
  for (const row of e.target.closest("form").querySelectorAll("li")) row.hidden = !row.textContent.toLocaleLowerCase().includes(text);
});
document.addEventListener("htmx:afterSettle", (e) => {
  const list = e.target.closest?.("#columns")?.querySelector(".columns-list");
  if (!list || list.dataset.ready) return;
  list.dataset.ready = "";
  list.closest("form").querySelector("[data-find-column]").focus();
  sortable(list.closest("[data-sortable]").dataset.sortable).then((Sortable) => {
    Sortable.create(list, { handle: ".grip", animation: 120, forceFallback: true });
  });
});
function sortable(src) {
  if (globalThis.Sortable) return Promise.resolve(globalThis.Sortable);
  return new Promise((loaded) => {
    const script = document.createElement("script");
    script.src = src;
    script.addEventListener("load", () => loaded(globalThis.Sortable));
    document.head.append(script);
  });
}

// ---- the link of a view: its address, or all that it shows where it is nobody else's
document.addEventListener("click", async (e) => {
  const item = e.target.closest("[data-copy-link]");
  if (!item) return;
  await navigator.clipboard.writeText(new URL(item.dataset.copyLink, location.href).href);
  toast({ text: item.dataset.done });
});
