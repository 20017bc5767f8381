// Asks before what cannot be undone, in our dialog instead of the browser's: hx-confirm on an htmx element, data-confirm on a
// plain form. data-confirm-ok on the same element names the button ("Delete contact").
const dialog = document.getElementById("confirm");
let proceed = null;

function ask(text, el, then) {
  dialog.querySelector("[data-text]").textContent = text;
  const ok = dialog.querySelector("[data-ok]");
  ok.dataset.word ??= ok.textContent;
  ok.textContent = el.dataset.confirmOk ?? ok.dataset.word;
  proceed = then;
  dialog.returnValue = "";
  dialog.showModal();
}

dialog?.addEventListener("close", () => {
  const then = proceed;
  proceed = null;
  if (dialog.returnValue === "ok") then?.();
});
document.addEventListener("htmx:confirm", (e) => {
  if (!dialog || !e.detail.question) return;
  e.preventDefault();
  ask(e.detail.question, e.detail.elt, () => e.detail.issueRequest(true));
});
document.addEventListener("submit", (e) => {
  const form = e.target;
  if (!dialog || !form.dataset.confirm || "confirmed" in form.dataset) return;
  e.preventDefault();
  ask(form.dataset.confirm, form, () => {
    form.dataset.confirmed = "";
    form.requestSubmit(e.submitter);
  });
});
