// Editing a list's cells where they stand. Arrows move between cells; Enter or F2 (or a double click) edits one, Enter saves,
// Escape leaves it as it was, Tab saves and goes on to the next. What has no room in a cell opens in the dialog.
import { renewRow } from "./rows.js";

const grid = () => document.querySelector("[data-cells]");
const cellOf = (el) => el?.closest?.("[data-cells] tbody td");
const seen = (el) => el.offsetParent !== null;
const rowsOf = () => [...grid().querySelectorAll("tbody tr[data-id]")].filter(seen);
const cellsOf = (row) => [...row.querySelectorAll("td.first, td[data-col]")].filter(seen);
const address = (id, key, edit) => `${grid().dataset.cells}${id}/fields/${key}/?cell=1${edit ? "&edit=1" : ""}`;
const edits = new WeakMap(); // cell -> { saving, refused, next: step to take once it is saved }

// Whether a form holds something else than the server put into it.
function changed(form) {
  return [...form.elements].some((el) => {
    if (el.matches("select")) return el.value !== ([...el.options].find((x) => x.defaultSelected) ?? el.options[0])?.value;
    return el.type === "checkbox" ? el.checked !== el.defaultChecked : el.value !== el.defaultValue;
  });
}

function focus(cell) {
  const link = cell.matches(".first") && cell.querySelector("a");
  const target = link || cell;
  if (!link) {
    for (const el of grid().querySelectorAll("td[tabindex='0']")) el.tabIndex = -1;
    cell.tabIndex = 0;
  }
  target.focus();
  cell.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// One cell can be reached by Tab: the first that can be edited, until another had the focus.
function ready() {
  const first = grid()?.querySelector("tbody td.cell-edit");
  if (first && !grid().querySelector("td[tabindex='0']")) first.tabIndex = 0;
}

function neighbour(cell, key) {
  const row = cell.parentElement;
  const cells = cellsOf(row);
  const at = cells.indexOf(cell);
  if (key === "ArrowLeft") return cells[at - 1];
  if (key === "ArrowRight") return cells[at + 1];
  if (key === "Home") return cells[0];
  if (key === "End") return cells.at(-1);
  const rows = rowsOf();
  const next = rows[rows.indexOf(row) + (key === "ArrowDown" ? 1 : -1)];
  return next && cellsOf(next)[at];
}

function nextEditable(cell, step) {
  const all = rowsOf().flatMap(cellsOf).filter((el) => el.matches(".cell-edit"));
  return all[all.indexOf(cell) + step];
}

async function edit(cell) {
  if (!cell?.matches(".cell-edit") || edits.has(cell)) return;
  const url = address(cell.parentElement.dataset.id, cell.dataset.col, true);
  if (cell.matches(".cell-wide")) {
    htmx.ajax("GET", url, { source: cell, target: "#dialog", swap: "innerHTML" });
    return;
  }
  edits.set(cell, {});
  // Over what the cell shows, so that the columns stay as wide as they are.
  await htmx.ajax("GET", url, { source: cell, target: cell, swap: "beforeend" });
  if (!cell.querySelector(".cell-form")) edits.delete(cell); // refused: a toast says why
}

function opened(cell, form) {
  edits.set(cell, { saving: false, next: 0, refused: edits.get(cell)?.saving });
  cell.dataset.editing = "";
  const control = form.querySelector("#cell-control, select, input:not([type=hidden])");
  control.focus();
  if (control.matches("input:not([type=checkbox], [type=date], [type=datetime-local])")) control.select();
}

function closed(cell) {
  const next = edits.get(cell)?.next ?? 0;
  edits.delete(cell);
  delete cell.dataset.editing;
  if (next) {
    const other = nextEditable(cell, next);
    focus(other ?? cell);
    if (!other?.matches(".cell-wide")) edit(other);
  } else if (document.activeElement === document.body) focus(cell);
}

function save(cell, next = 0) {
  const form = cell.querySelector(".cell-form");
  const state = edits.get(cell);
  if (!form || !state || state.saving) return;
  state.next = next;
  if (!state.refused && !changed(form)) {
    cancel(cell);
    return;
  }
  state.saving = true;
  form.requestSubmit();
  state.saving = form.checkValidity();
}

function cancel(cell) {
  const state = edits.get(cell);
  const hadFocus = cell.contains(document.activeElement);
  if (!state) return;
  cell.querySelector(".cell-form").remove();
  if (hadFocus) focus(cell);
  closed(cell);
  if (state.refused) refresh(cell); // the form came in place of the value, and that may be somebody else's now
}

const refresh = (cell) =>
  htmx.ajax("GET", address(cell.parentElement.dataset.id, cell.dataset.col), { source: cell, target: cell, swap: "innerHTML" });

function inForm(e, cell) {
  const isText = e.target.matches("textarea");
  if (e.key === "Escape") cancel(cell);
  else if (e.key === "Enter" && !isText) save(cell);
  else if (e.key === "Tab") save(cell, e.shiftKey ? -1 : 1);
  else return;
  e.preventDefault();
  e.stopPropagation();
}

addEventListener(
  "keydown",
  (e) => {
    const cell = cellOf(e.target);
    if (!cell || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target.closest(".cell-form")) {
      inForm(e, cell);
      return;
    }
    if (e.target !== cell && !cell.matches(".first")) return; // a link or a box in a cell
    if ((e.key === "Enter" || e.key === "F2") && cell.matches(".cell-edit")) edit(cell);
    else if (/^(Arrow(Up|Down|Left|Right)|Home|End)$/.test(e.key) && !e.shiftKey) {
      const next = neighbour(cell, e.key);
      if (next) focus(next);
    } else return;
    e.preventDefault();
  },
  true,
);

document.addEventListener("mousedown", (e) => {
  const cell = cellOf(e.target);
  if (cell?.matches(".cell-edit") && !e.target.closest("a, button, input, select, textarea")) {
    e.preventDefault();
    focus(cell);
  }
});
document.addEventListener("dblclick", (e) => {
  if (!e.target.closest("a, .cell-form")) edit(cellOf(e.target));
});
document.addEventListener("focusout", (e) => {
  const cell = cellOf(e.target);
  // Nothing has the focus while the window is left or the cell's content is exchanged.
  if (cell && edits.has(cell) && e.relatedTarget && !cell.contains(e.relatedTarget)) save(cell);
});
document.addEventListener("submit", (e) => {
  const state = e.target.matches(".cell-form") && edits.get(cellOf(e.target));
  if (state) state.saving = true;
});

document.addEventListener("htmx:afterSwap", (e) => {
  const cell = cellOf(e.detail.target);
  if (!cell || !edits.has(cell) || cell.querySelector(".cell-form")) return;
  closed(cell);
  renewRow(cell);
});
document.addEventListener("htmx:afterSettle", (e) => {
  const cell = cellOf(e.detail.target);
  const form = cell?.querySelector(".cell-form");
  if (form) opened(cell, form);
  else ready();
});
for (const failed of ["htmx:responseError", "htmx:sendError", "htmx:timeout"])
  document.addEventListener(failed, (e) => {
    const state = edits.get(cellOf(e.detail.elt));
    if (state) state.saving = false;
  });
document.addEventListener("cellChanged", ({ detail }) => {
  const cell = grid()?.querySelector(`tr[data-id="${CSS.escape(detail.id)}"] td[data-col="${CSS.escape(detail.key)}"]`);
  if (!cell) return;
  refresh(cell);
  focus(cell);
  renewRow(cell);
});
// The value wants an answer besides, and the dialog asks for it: one goes on from this cell later.
document.addEventListener("openDialog", (e) => {
  const state = edits.get(cellOf(e.target));
  if (state) state.next = 0;
});
document.addEventListener("recordGone", ({ detail }) => grid()?.querySelector(`tr[data-id="${CSS.escape(detail.id)}"]`)?.remove());
ready();
