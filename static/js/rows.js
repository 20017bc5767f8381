// A row of a list after one of its cells was edited: what follows from that cell (a formula, a weighted amount, the name,
// the subtotals of the groups) is asked for once, when the person pauses.
const asked = new WeakMap(); // row -> what ends the question that was asked last
const stale = new WeakSet(); // lists whose subtotals are to be asked for

export function renewRow(cell) {
  const row = cell.parentElement;
  const list = row.closest("[data-row]");
  if (!list) return;
  asked.get(row)?.abort();
  const own = new AbortController();
  asked.set(row, own);
  note(list, cell);
  setTimeout(() => !own.signal.aborted && renew(row, list, own.signal), 300);
}

// Subtotals are of numbers; the counts of groups follow the field that makes them.
function note(list, cell) {
  if (cell.matches(".num") || cell.dataset.col === list.dataset.by) stale.add(list);
}

async function renew(row, list, signal) {
  try {
    const fresh = await part(`${list.dataset.row}${row.dataset.id}`, signal);
    for (const cell of fresh.querySelectorAll("td.first, td[data-col]")) if (put(row, cell)) note(list, cell);
    if (list.dataset.sums && stale.delete(list)) await renewSums(list, signal).catch(() => stale.add(list));
  } catch {
    // Another cell was saved, or the page is being left.
  }
}

async function part(address, signal) {
  const answer = await fetch(address, { signal, headers: { "HX-Request": "true" } });
  const made = document.createElement("template");
  if (answer.ok && !answer.redirected) made.innerHTML = await answer.text();
  return made.content;
}

async function renewSums(list, signal) {
  const fresh = await part(list.dataset.sums, signal);
  if (!fresh.querySelector("tr")) return;
  for (const head of list.querySelectorAll("tr[data-group], tfoot tr")) {
    const key = head.dataset.group;
    const now = fresh.querySelector(key === undefined ? "tfoot tr" : `tr[data-group="${CSS.escape(key)}"]`);
    head.querySelector(".agg").textContent = now?.querySelector(".agg").textContent ?? "0"; // its last row has gone
    for (const cell of head.querySelectorAll("td[data-col]")) {
      const sum = now?.querySelector(`td[data-col="${CSS.escape(cell.dataset.col)}"]`);
      cell.textContent = sum?.textContent ?? "";
      cell.title = sum?.title ?? "";
    }
  }
}

// True where the cell shows something else now.
function put(row, fresh) {
  const cell = row.querySelector(fresh.matches(".first") ? "td.first" : `td[data-col="${CSS.escape(fresh.dataset.col)}"]`);
  if (!cell || "editing" in cell.dataset || cell.innerHTML === fresh.innerHTML) return false;
  const hadFocus = cell !== document.activeElement && cell.contains(document.activeElement);
  cell.replaceChildren(...fresh.childNodes);
  htmx.process(cell);
  if (hadFocus) cell.querySelector("a")?.focus();
  return true;
}
