// The filter panel: a field or an operator that is chosen asks for the rows anew, the words on a closed list of choices
// say what is ticked in it, and the foot says how many match.
let walking, timer, running;
document.addEventListener("change", (e) => {
  const pick = e.target.closest?.("[data-pick]");
  if (pick) {
    const ticked = [...pick.querySelectorAll("input:checked")].map((box) => box.closest("label").textContent.trim());
    const text = pick.querySelector("summary [data-none]");
    text.textContent = ticked.join(", ") || text.dataset.none;
  }
  const form = e.target.closest?.("[data-filter-form]");
  if (!form) return;
  if (e.target.matches("[data-again]")) {
    // Keys that walk through the choices of a select change it with every step.
    clearTimeout(walking);
    walking = setTimeout(() => form.dispatchEvent(new Event("again")), 150);
  } else countSoon(form);
});
document.addEventListener("htmx:load", (e) => {
  const form = e.target.closest("[data-filter-form]") ?? e.target.querySelector("[data-filter-form]");
  if (form) countSoon(form);
});

function countSoon(form) {
  clearTimeout(timer);
  timer = setTimeout(() => count(form), 300);
}
async function count(form) {
  running?.abort();
  running = new AbortController();
  const params = new URLSearchParams(new FormData(form));
  params.set("act", "count");
  try {
    const answer = await fetch(`${form.getAttribute("action")}?${params}`, { signal: running.signal });
    if (answer.ok && form.isConnected) form.querySelector("[data-count]").textContent = await answer.text();
  } catch {
    // Another count has begun, or the page is being left.
  }
}
