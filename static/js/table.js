// Table: select all and ranges, bulk bar, row cursor (j k x), density, column picker. Inline edit is htmx.
const table = () => document.querySelector("[data-table]");
const picks = () => [...(table()?.querySelectorAll("tbody .pick input") ?? [])];
let last = null;

function sync() {
  const boxes = picks();
  const picked = boxes.filter((x) => x.checked).length;
  const all = table()?.querySelector("thead .pick input");
  const bar = document.querySelector(".bulkbar");
  if (all) {
    all.checked = picked > 0 && picked === boxes.length;
    all.indeterminate = picked > 0 && picked < boxes.length;
  }
  if (bar) {
    bar.hidden = picked === 0;
    bar.querySelector("output").textContent = picked;
  }
}

function pick(box, withShift) {
  const boxes = picks();
  if (box.closest("thead")) for (const x of boxes) x.checked = box.checked;
  else if (withShift && boxes.includes(last)) {
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const x of boxes.slice(from, to + 1)) x.checked = box.checked;
  }
  if (!box.closest("thead")) last = box;
  sync();
}

document.addEventListener("click", (e) => {
  const box = e.target.closest("[data-table] .pick input");
  if (box) pick(box, e.shiftKey);
  if (e.target.closest("[data-clear-selection]")) {
    for (const x of picks()) x.checked = false;
    sync();
  }
  const density = e.target.closest("[data-set-density]");
  if (density && table()) {
    table().dataset.density = density.dataset.setDensity;
    for (const x of document.querySelectorAll("[data-set-density]")) x.setAttribute("aria-checked", String(x === density));
  }
  const column = e.target.closest("[data-col-toggle]");
  if (column && table())
    for (const x of table().querySelectorAll(`[data-col="${CSS.escape(column.dataset.colToggle)}"]`)) x.hidden = column.ariaChecked !== "true";
});
document.addEventListener("htmx:afterSettle", sync); // new rows are not picked

const off = "input:not(.check), textarea, select, dialog[open], .menu:popover-open, .pop:popover-open";
addEventListener("keydown", (e) => {
  if (!["j", "k", "x"].includes(e.key) || !table() || e.ctrlKey || e.metaKey || e.altKey || e.target.closest(off)) return;
  if (document.querySelector("[data-single-keys]")?.checked === false) return;
  const rows = [...table().querySelectorAll("tbody tr")];
  const at = rows.findIndex((row) => row.classList.contains("cursor"));
  if (e.key === "x") {
    rows[at]?.querySelector(".pick input")?.click();
    return;
  }
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + (e.key === "j" ? 1 : -1)))];
  if (!next) return;
  rows[at]?.classList.remove("cursor");
  next.classList.add("cursor");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a")?.focus({ preventScroll: true });
});
