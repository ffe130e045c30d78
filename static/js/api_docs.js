// Swagger UI has a dark dress, and takes it on by a class; here the reader's system decides.
(() => {
  "use strict";

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dress = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", dress);
  dress();
})();
