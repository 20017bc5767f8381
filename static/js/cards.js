// Cards come from the server without their actions button, which would weigh as much as the rest of the card; this puts it on.
function dress(root) {
  const template = document.getElementById("deal-more");
  if (!template) return;
  for (const card of root.querySelectorAll("[data-board] .deal:not(:has(> .more))")) {
    const button = template.content.firstElementChild.cloneNode(true);
    const link = card.querySelector("a");
    button.setAttribute("aria-label", template.dataset.label.replace("{name}", link.textContent));
    link.draggable = false; // else the browser drags the link instead of the card
    card.append(button);
  }
}

dress(document);
document.addEventListener("htmx:load", () => dress(document));
