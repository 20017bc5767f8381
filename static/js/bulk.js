// The bar of a list: choosing all that match it, beyond the rows that are shown; and the export of what is chosen.
import { chooseAll, isAll, isShown, picked } from "./picks.js";

document.addEventListener("click", (e) => {
  const button = e.target.closest("[data-select-all]");
  if (!button) return;
  chooseAll();
  // The button is gone now, and the focus would be with it.
  [...button.closest(".bulkbar").querySelectorAll("button")].find(isShown).focus();
});

document.addEventListener("submit", (e) => {
  if (!e.target.matches("[data-export-picked]")) return;
  e.preventDefault(); // a form sent by GET would lose its address's own parameters
  const address = new URL(e.target.action);
  if (isAll()) address.searchParams.set("bulk-all", "1");
  else for (const box of picked()) address.searchParams.append("bulk-id", box.value);
  location.assign(address);
});
