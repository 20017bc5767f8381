// A request that a newer one takes the place of, or that ends with its page, is no fault: without this, htmx puts every one
// of them on the console. It reports an error where `detail.error` says one (triggerErrorEvent in htmx 2).
document.addEventListener("htmx:beforeSend", ({ detail }) => {
  const { xhr } = detail;
  const { onabort } = xhr;
  xhr.onabort = (event) => {
    detail.error = "";
    onabort.call(xhr, event);
  };
});
