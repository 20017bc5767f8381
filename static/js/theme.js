// Theme: "light", "dark" or the system's. The server renders it from the cookie, else the profile, so there is no flash.
const root = document.documentElement;

document.addEventListener("click", (e) => {
  const chosen = e.target.closest("[data-set-theme]");
  if (!chosen) return;
  const theme = chosen.dataset.setTheme;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  document.cookie = `keel_theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  for (const x of document.querySelectorAll("[data-set-theme]")) x.setAttribute("aria-checked", String(x === chosen));
});
