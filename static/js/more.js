// What a value wants besides, such as why a deal is lost, is asked for in the dialog. Says whether it was answered.
export async function askMore(href, id) {
  let answered = false;
  const heard = (e) => (answered ||= e.detail.id === id);
  document.addEventListener("cellChanged", heard);
  await htmx.ajax("GET", href, { source: document.body, target: "#dialog", swap: "innerHTML" });
  const dialog = document.getElementById("dialog");
  if (dialog.open) await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  document.removeEventListener("cellChanged", heard);
  return answered;
}
