// The choice of a list: all that match it, beyond the page's rows (table.js); and its export.
const bar = () => document.querySelector(".bulkbar:has([data-all-flag])");
const boxes = () => [...document.querySelectorAll("[data-table] tbody .pick input")];

function chooseAll(button) {
  const own = bar();
  own.querySelector("[data-all-flag]").disabled = false;
  for (const box of boxes()) box.checked = true;
  own.querySelector("output").textContent = button.dataset.selectAll;
  own.querySelector("output").focus?.();
  button.hidden = true;
}

// Whoever takes a row out of all, or clears the choice, has chosen rows of the page again.
function chooseRows() {
  const own = bar();
  if (!own) return;
  own.querySelector("[data-all-flag]").disabled = true;
  const button = own.querySelector("[data-select-all]");
  if (button) button.hidden = false;
  const match = own.querySelector("[data-all-match]");
  if (!match) return;
  const whole = boxes().every((box) => box.checked);
  match.hidden = !whole;
  if (whole) htmx.trigger(match, "pagepicked");
}

document.addEventListener("click", (e) => {
  const button = e.target.closest("[data-select-all]");
  if (button) chooseAll(button);
  else if (e.target.closest("[data-table] .pick input, [data-clear-selection]")) chooseRows();
});

document.addEventListener("submit", (e) => {
  if (!e.target.matches("[data-export-picked]")) return;
  e.preventDefault(); // a form sent by GET would lose its address's own parameters
  const address = new URL(e.target.action);
  if (!bar().querySelector("[data-all-flag]").disabled) address.searchParams.set("bulk-all", "1");
  else for (const box of boxes().filter((one) => one.checked)) address.searchParams.append("bulk-id", box.value);
  location.assign(address);
});
