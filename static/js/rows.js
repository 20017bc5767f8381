// A row of a list after one of its cells was edited: what follows from that cell (a formula, a weighted amount, the name,
// the subtotals of the groups) is asked for once, when the person pauses.
const asked = new WeakMap(); // row -> what ends the question that was asked last

export function renewRow(row) {
  asked.get(row)?.abort();
  const own = new AbortController();
  asked.set(row, own);
  setTimeout(() => !own.signal.aborted && renew(row, own.signal), 300);
}

async function renew(row, signal) {
  const list = row.closest("[data-row]");
  if (!list) return;
  try {
    await renewCells(row, `${list.dataset.row}${row.dataset.id}`, signal);
    if (list.dataset.sums) await renewSums(list, signal);
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

async function renewCells(row, address, signal) {
  const fresh = (await part(address, signal)).querySelector(`tr[data-id="${CSS.escape(row.dataset.id)}"]`);
  if (fresh) for (const cell of fresh.querySelectorAll("td.first, td[data-col]")) put(row, cell);
}

async function renewSums(list, signal) {
  for (const fresh of (await part(list.dataset.sums, signal)).querySelectorAll("tr")) {
    const key = fresh.dataset.group;
    const head = key === undefined ? list.tFoot?.rows[0] : list.querySelector(`tr[data-group="${CSS.escape(key)}"]`);
    if (!head) continue; // nothing was in this group when the list was loaded
    head.querySelector(".agg").replaceWith(fresh.querySelector(".agg"));
    for (const cell of fresh.querySelectorAll("td[data-col]")) {
      const old = head.querySelector(`td[data-col="${CSS.escape(cell.dataset.col)}"]`);
      if (!old) continue;
      old.textContent = cell.textContent;
      old.title = cell.title;
    }
  }
}

function put(row, fresh) {
  const cell = row.querySelector(fresh.matches(".first") ? "td.first" : `td[data-col="${CSS.escape(fresh.dataset.col)}"]`);
  if (!cell || "editing" in cell.dataset || cell.innerHTML === fresh.innerHTML) return;
  const hadFocus = cell !== document.activeElement && cell.contains(document.activeElement);
  cell.replaceChildren(...fresh.childNodes);
  htmx.process(cell);
  if (hadFocus) cell.querySelector("a")?.focus();
}
