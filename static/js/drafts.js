// A note that is being written stays as it is when its panel is refreshed, and after a reload.
// Fields with data-draft are kept by their id for as long as the tab lives, and so is what was opened
// of parts with data-keep-open.
(() => {
  "use strict";

  const key = (field) => `callmanager.draft.${field.id}`;

  document.addEventListener("input", ({ target }) => {
    if (!target.matches("[data-draft]")) return;
    const { value, selectionStart, selectionEnd } = target;
    sessionStorage.setItem(key(target), JSON.stringify({ value, selectionStart, selectionEnd }));
  });

  document.addEventListener(
    "toggle",
    ({ target }) => {
      if (!target.matches("[data-keep-open]")) return;
      if (target.open) sessionStorage.setItem(key(target), "open");
      else if (target.isConnected) sessionStorage.removeItem(key(target));
    },
    true,
  );

  function restore() {
    for (const part of document.querySelectorAll("[data-keep-open]")) {
      if (sessionStorage.getItem(key(part)) === "open") part.open = true;
    }
    for (const field of document.querySelectorAll("[data-draft]")) {
      const kept = JSON.parse(sessionStorage.getItem(key(field)) || "null");
      if (kept === null || field.value === kept.value) continue;
      field.value = kept.value;
      if (field === document.activeElement) {
        field.setSelectionRange(kept.selectionStart, kept.selectionEnd);
      }
    }
  }

  document.body.addEventListener("htmx:afterSwap", restore);
  restore();
})();
