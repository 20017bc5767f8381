// Forms: rows that can be added (several e-mails, phones), the composer's kinds, Escape out of an inline edit, auto-submitting filters.
document.addEventListener("click", (e) => {
  const add = e.target.closest("[data-add-row]");
  if (add) {
    const rows = add.closest("[data-rows]");
    const row = rows.querySelector("template").content.firstElementChild.cloneNode(true);
    const key = `n${Date.now().toString(36)}`;
    for (const el of row.querySelectorAll("[data-row-key]")) el.value = key;
    rows.querySelector("ul").append(row);
    row.querySelector("input:not([type=hidden], [type=radio])").focus();
    return;
  }
  const move = e.target.closest("[data-move-row]");
  if (move) {
    const row = move.closest("li");
    if (move.dataset.moveRow === "-1") row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    move.focus();
    return;
  }
  const remove = e.target.closest("[data-remove-row]");
  if (remove) removeRow(remove.closest("li"));
});

function removeRow(row) {
  const list = row.parentElement;
  const wasPrimary = row.querySelector("input[type=radio]")?.checked;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  if (wasPrimary) list.querySelector("input[type=radio]")?.click();
  (next?.querySelector("input:not([type=hidden], [type=radio])") ?? list.closest("[data-rows]").querySelector("[data-add-row]")).focus();
}

// The composer's tabs choose what the form logs; lines that belong to other kinds are hidden and not sent.
document.addEventListener("click", (e) => {
  const tab = e.target.closest("[data-composer] [data-type]");
  if (!tab) return;
  const form = tab.closest("[data-composer]");
  form.querySelector("[data-composer-type]").value = tab.dataset.type;
  showLines(form, tab.dataset.type);
});
function showLines(form, kind) {
  for (const line of form.querySelectorAll("[data-types]")) {
    line.hidden = !line.dataset.types.split(" ").includes(kind);
    for (const el of line.querySelectorAll("input, select, textarea")) el.disabled = line.hidden;
  }
}
const ready = (root) => {
  for (const row of root.querySelectorAll?.("[data-spare]") ?? []) row.remove();
  for (const form of root.querySelectorAll?.("[data-composer]") ?? []) showLines(form, form.querySelector("[data-composer-type]").value);
};
ready(document);
document.addEventListener("htmx:load", (e) => ready(e.target.parentElement ?? document));

document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") e.target.closest?.(".prop-edit")?.querySelector("[data-cancel-edit]")?.click();
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) e.target.closest?.(".composer")?.requestSubmit();
});

// A filter's plain form submits itself when a choice changes.
document.addEventListener("change", (e) => {
  e.target.closest?.("form[data-autosubmit]")?.requestSubmit();
});
