// Table: select all and ranges, row cursor (j k x), density, column picker. What is picked: picks.js. Inline edit is htmx.
import { boxes, chooseRows, isShown, sync, table } from "./picks.js";

let last = null;

function pick(box, withShift) {
  const rows = boxes();
  if (box.closest("thead")) {
    chooseRows(rows, box.checked);
    return;
  }
  const range = withShift && rows.includes(last) ? [rows.indexOf(last), rows.indexOf(box)].sort((a, b) => a - b) : null;
  chooseRows(range ? rows.slice(range[0], range[1] + 1) : [box], box.checked);
  last = box;
}

document.addEventListener("click", (e) => {
  const box = e.target.closest("[data-table] .pick input");
  if (box) pick(box, e.shiftKey);
  if (e.target.closest("[data-clear-selection]")) chooseRows(boxes(), false);
  const density = e.target.closest("[data-set-density]");
  if (density && table()) {
    table().dataset.density = density.dataset.setDensity;
    for (const x of document.querySelectorAll("[data-set-density]")) x.setAttribute("aria-checked", String(x === density));
  }
  const column = e.target.closest("[data-col-toggle]");
  if (column && table())
    for (const x of table().querySelectorAll(`[data-col="${CSS.escape(column.dataset.colToggle)}"]`)) x.hidden = column.ariaChecked !== "true";
});
document.addEventListener("htmx:afterSettle", sync); // new rows are not picked, unless all are
document.addEventListener("recordGone", () => setTimeout(sync)); // after its row
addEventListener("pageshow", sync); // a browser that comes back ticks the boxes again

const off = "input:not(.check), textarea, select, dialog[open], .menu:popover-open, .pop:popover-open";
addEventListener("keydown", (e) => {
  if (!["j", "k", "x"].includes(e.key) || !table() || e.ctrlKey || e.metaKey || e.altKey || e.target.closest(off)) return;
  if (document.querySelector("[data-single-keys]")?.checked === false) return;
  const rows = [...table().querySelectorAll("tbody tr")].filter(isShown);
  const cursor = table().querySelector("tr.cursor");
  // Where its group was closed, one goes on from the head of that.
  const at = rows.indexOf(!cursor || isShown(cursor) ? cursor : cursor.closest("tbody").rows[0]);
  if (e.key === "x") {
    rows[at]?.querySelector(".pick input")?.click();
    return;
  }
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + (e.key === "j" ? 1 : -1)))];
  if (!next) return;
  cursor?.classList.remove("cursor");
  next.classList.add("cursor");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a, [data-twist]")?.focus({ preventScroll: true });
});
