// What is picked in a list: rows that are shown or, by the flag of the bar, all that match. Boxes and flag alone hold it;
// what the page says of it (the count, which buttons there are) is worked out of them here.
export const table = () => document.querySelector("[data-table]");
export const isShown = (row) => row.offsetParent !== null; // a row of a closed group is not
const bar = () => document.querySelector(".bulkbar");
const flag = () => bar()?.querySelector("[data-all-flag]");
const every = () => [...(table()?.querySelectorAll("tbody .pick input") ?? [])];

export const boxes = () => every().filter((box) => isShown(box.closest("tr")));
export const picked = () => boxes().filter((box) => box.checked);
export const isAll = () => flag()?.disabled === false;

export function chooseAll() {
  flag().disabled = false;
  sync();
}

// Whoever ticks a box, or takes one out of all, chooses rows by hand from then on.
export function chooseRows(rows, on) {
  if (flag()) flag().disabled = true;
  for (const box of rows) box.checked = on;
  sync();
}

export function sync() {
  const all = isAll();
  for (const box of every()) {
    if (all) box.checked = true;
    else if (!isShown(box.closest("tr"))) box.checked = false; // nothing happens to rows that nobody sees picked
  }
  const shown = boxes();
  const count = picked().length;
  const head = table()?.querySelector("thead .pick input");
  if (head) {
    head.disabled = shown.length === 0; // the rows of an open group come after the page
    head.checked = count > 0 && count === shown.length;
    head.indeterminate = count > 0 && count < shown.length;
  }
  if (bar()) say(all, count, count > 0 && count === shown.length);
}

function say(all, count, whole) {
  const own = bar();
  const button = own.querySelector("[data-select-all]");
  const match = own.querySelector("[data-all-match]");
  own.hidden = !all && count === 0;
  own.querySelector("output").textContent = all ? button.dataset.selectAll : count;
  if (button) button.hidden = all;
  if (!match) return;
  match.hidden = !all && !whole;
  if (whole) htmx.trigger(match, "pagepicked");
}
