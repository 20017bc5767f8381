// The timeline of a record follows what changes on its page: a field edited in place, a deal that moved, live events.
// An answer that brings the new timeline itself says so ("told"). The composer is never touched.
let waiting;

function follow() {
  if (!document.getElementById("timeline")) return;
  clearTimeout(waiting); // an own change is heard of twice: in its answer and as a live event
  waiting = setTimeout(() => htmx.trigger(document.body, "timelineChanged"), 250);
}
document.addEventListener("recordChanged", (e) => {
  if (!e.detail?.told) follow();
});
for (const name of ["deals:changed", "keel:deal.updated", "keel:deal.stage_changed", "keel:refetch"]) {
  document.addEventListener(name, follow);
}
