// Names for boxes of the administration that Django's own scripts make without one.
(() => {
  "use strict";

  const words = (element) => element?.textContent.trim().replace(/:$/, "");

  // The box of a look-up is named by its value alone, and by nothing while it is empty.
  function nameLookUps() {
    for (const shown of document.querySelectorAll(".select2-selection__rendered")) {
      const select = shown.closest(".select2-container").previousElementSibling;
      const name = words(select?.labels?.[0]) || select?.getAttribute("aria-label");
      if (name) shown.setAttribute("aria-label", name);
    }
  }

  // The hint of a list to choose from is a picture.
  function nameHints() {
    for (const hint of document.querySelectorAll("span.help-tooltip")) hint.setAttribute("role", "img");
  }

  // A sign stands in the label of the search, and a hint below it.
  function nameSearch() {
    const box = document.getElementById("searchbar");
    box?.setAttribute("aria-label", box.form.querySelector("[type=submit]").value);
  }

  // A column without a head: of links to each line, or of nothing.
  function dropEmptyHeads() {
    for (const head of document.querySelectorAll(".inline-group thead th")) {
      if (head.textContent.trim()) continue;
      const cell = document.createElement("td");
      cell.className = head.className;
      head.replaceWith(cell);
    }
  }

  function nameAll() {
    nameLookUps();
    nameHints();
  }

  nameSearch();
  dropEmptyHeads();
  nameAll();
  // They come after the page, each in its time, and with every line that is added.
  new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
})();
