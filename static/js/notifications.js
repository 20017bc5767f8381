// The bell: its panel is read each time it opens, and the mark on it follows what the live stream tells.
document.addEventListener(
  "beforetoggle",
  (e) => {
    if (e.target.id === "notes" && e.newState === "open") htmx.trigger(e.target, "readnotes");
  },
  true,
);

function refresh() {
  const bell = document.getElementById("bell");
  if (!bell) return;
  htmx.ajax("GET", bell.dataset.url, { source: bell, target: "#bell", swap: "innerHTML" });
  const notes = document.getElementById("notes");
  if (notes?.matches(":popover-open")) htmx.trigger(notes, "readnotes");
}
document.addEventListener("keel:events", (e) => {
  if (e.detail.events.some((event) => event.name === "member.inbox_changed")) refresh();
});
document.addEventListener("keel:refetch", refresh);
