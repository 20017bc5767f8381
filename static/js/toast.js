// Toasts. Server: HX-Trigger: {"toast": {"text": "Deal moved", "kind": "ok", "undo": "/w/x/deals/7/undo/"}}.
// Script: toast({text, kind, undo, onUndo}). `undo` is posted to; `onUndo` puts the page right at once.
const icons = { ok: "circle-check", error: "circle-alert", info: "info" };
const lasting = { plain: 4500, withUndo: 8000, afterHover: 2500 }; // ms; errors stay until dismissed

export function toast({ text, kind = "ok", undo, action, onUndo } = {}) {
  const box = document.getElementById("toasts");
  const template = document.getElementById("toast-tpl");
  if (!box || !template || !text) return;
  const el = template.content.firstElementChild.cloneNode(true);
  el.dataset.kind = kind;
  const use = el.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#" + (icons[kind] ?? icons.info)));
  el.querySelector("p").textContent = text;
  const button = el.querySelector("[data-undo]");
  if (undo || onUndo) {
    button.hidden = false;
    if (action) button.textContent = action;
    button.addEventListener("click", () => {
      onUndo?.();
      if (undo) htmx.ajax("POST", undo, { source: document.body, swap: "none" });
      el.remove();
    });
  }
  box.append(el);
  if (kind !== "error") expire(el, undo || onUndo ? lasting.withUndo : lasting.plain);
}

function expire(el, ms) {
  let timer = setTimeout(() => el.remove(), ms);
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = setTimeout(() => el.remove(), lasting.afterHover);
  };
  el.addEventListener("mouseenter", hold);
  el.addEventListener("focusin", hold);
  el.addEventListener("mouseleave", release);
  el.addEventListener("focusout", release);
}

document.addEventListener("click", (e) => {
  if (e.target.closest("[data-dismiss]")) e.target.closest(".toast").remove();
});
document.addEventListener("toast", (e) => toast(e.detail?.value ?? e.detail ?? {}));
// Said before this page loaded, rendered by the server.
for (const el of document.querySelectorAll("#toasts > .toast")) if (el.dataset.kind !== "error") expire(el, el.querySelector("form") ? lasting.withUndo : lasting.plain);
