// Runs before the first paint, so that neither the theme nor the language flashes. A file, since the policy forbids inline scripts.
(function () {
  var scheme = null;
  var language = null;
  try {
    scheme = localStorage.getItem("mantine-color-scheme-value");
    language = localStorage.getItem("miyabi.language");
  } catch {
    // Storage can be forbidden; the defaults below serve.
  }
  var dark = scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  document.documentElement.lang = language || (/^ja\b/.test(navigator.language) ? "ja" : "en");
})();
