// The frame: sidebar and its phone drawer, what htmx says about requests, focus after a swap.
import { toast } from "./toast.js";

const phone = () => matchMedia("(width < 768px)").matches;
const app = () => document.querySelector(".app");

function setNav(state) {
  app().dataset.nav = state;
  const open = phone() ? state === "open" : state !== "closed";
  for (const b of document.querySelectorAll("[data-nav-toggle]")) b.setAttribute("aria-expanded", String(open));
}

document.addEventListener("click", (e) => {
  const a = app();
  if (!a) return;
  const toggle = e.target.closest("[data-nav-toggle]");
  if (!toggle) {
    if (a.dataset.nav === "open" && !e.target.closest(".sidebar")) setNav("");
    return;
  }
  if (phone()) {
    setNav(a.dataset.nav === "open" ? "" : "open");
    if (a.dataset.nav === "open") a.querySelector(".sidebar a, .sidebar button")?.focus();
    return;
  }
  const state = a.dataset.nav === "closed" ? "" : "closed";
  setNav(state);
  // The server renders the next page with the sidebar as it is now, so nothing jumps.
  document.cookie = `keel_sidebar=${state || "open"}; path=/; max-age=31536000; samesite=lax`;
});

addEventListener("keydown", (e) => {
  if (e.key !== "Escape" || app()?.dataset.nav !== "open") return;
  setNav("");
  document.querySelector("[data-nav-toggle]")?.focus();
});

// htmx puts its class on the form; the design shows the spinner on the pressed button.
document.addEventListener("htmx:beforeRequest", (e) => {
  const pressed = e.detail.requestConfig?.triggeringEvent?.submitter;
  if (!pressed?.matches(".btn")) return;
  pressed.classList.add("htmx-request");
  pressed.setAttribute("aria-busy", "true");
  e.detail.xhr.addEventListener("loadend", () => {
    pressed.classList.remove("htmx-request");
    pressed.removeAttribute("aria-busy");
  });
});

const t = (name) => document.getElementById("texts")?.dataset[name] ?? "";
document.addEventListener("htmx:sendError", () => toast({ kind: "error", text: t("offline") }));
document.addEventListener("htmx:timeout", () => toast({ kind: "error", text: t("slow") }));
document.addEventListener("htmx:responseError", (e) => {
  // The server's own words come as a toast in HX-Trigger; this is for answers without any.
  if (!e.detail.xhr.getResponseHeader("HX-Trigger")) toast({ kind: "error", text: t("failed") });
});

// A refused form comes back with its errors: the first wrong field takes the focus and is read out with its error.
document.querySelector('form[method="post"] [aria-invalid="true"]')?.focus();
document.addEventListener("htmx:afterSettle", (e) => {
  const wrong = e.target.querySelector?.('[aria-invalid="true"]');
  if (wrong) wrong.focus();
  else e.target.querySelector?.("[data-focus]")?.focus();
});
