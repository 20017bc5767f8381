// A row of a list after one of its cells was edited: what follows from that cell (a formula, a weighted amount, the name)
// is asked for once, when the person pauses.
const asked = new WeakMap(); // row -> what ends the question that was asked last

export function renewRow(row) {
  asked.get(row)?.abort();
  const own = new AbortController();
  asked.set(row, own);
  setTimeout(() => !own.signal.aborted && renew(row, own.signal), 300);
}

async function renew(row, signal) {
  const address = row.closest("[data-row]")?.dataset.row;
  if (!address) return;
  try {
    const answer = await fetch(`${address}${row.dataset.id}`, { signal, headers: { "HX-Request": "true" } });
    const made = document.createElement("template");
    if (answer.ok && !answer.redirected) made.innerHTML = await answer.text();
    const fresh = made.content.querySelector(`tr[data-id="${CSS.escape(row.dataset.id)}"]`);
    if (fresh) for (const cell of fresh.querySelectorAll("td.first, td[data-col]")) put(row, cell);
  } catch {
    // Another cell was saved, or the page is being left.
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
