// Dialogs: those in the page (data-dialog=id) and those whose content htmx loads into #dialog or #drawer.
const loaded = "#dialog, #drawer";

// The heading gets the focus here, not by its attribute: that would be one for the page, which a link into it refuses.
export function show(dialog) {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("h2[tabindex]")?.focus();
}

document.addEventListener("click", (e) => {
  const opener = e.target.closest("[data-dialog]");
  if (opener) {
    show(document.getElementById(opener.dataset.dialog));
    return;
  }
  const closer = e.target.closest("[data-close]");
  const dialog = closer?.closest("dialog");
  if (dialog) {
    e.preventDefault(); // as a page of its own the same element is a link
    dialog.close();
  } else if (e.target.matches("dialog")) {
    e.target.close(); // the backdrop
  }
});

// What arrives in #dialog is shown; after a refused form it is open already.
document.addEventListener("htmx:afterSwap", (e) => {
  const dialog = e.detail.target.closest?.(loaded);
  if (!dialog || dialog.open || !dialog.firstElementChild) return;
  dialog.showModal();
  dialog.querySelector("[autofocus], .input, .select, .textarea, h2[tabindex]")?.focus();
});
// A form that is gone must not be submitted from the back of the page, nor keep its ids.
document.addEventListener(
  "close",
  (e) => {
    if (e.target.matches(loaded)) e.target.replaceChildren();
  },
  true,
);
// Server: HX-Trigger: {"openDialog": {"href": "/w/x/deals/7/stage/?stage=3"}}
document.addEventListener("openDialog", (e) => htmx.ajax("GET", e.detail.href, { source: document.body, target: "#dialog", swap: "innerHTML" }));
// Server: HX-Trigger: closeDialog
document.addEventListener("closeDialog", (e) => {
  const dialog = e.target.closest?.("dialog[open]") ?? document.querySelector("dialog[open]");
  dialog?.close();
});
