// Single keys, for those who have not switched them off; templates/_keys_help.html lists them. They
// rest while somebody types, with a modifier held, and while a dialog is open. Where the desk is
// needed and not there, they lead to it, with the focus where the key would have acted.
(() => {
  "use strict";

  const help = document.getElementById("keys_help");
  const find = (selector) => document.querySelector(selector);
  const WAY = /^#key-([cpe]|search)$/;

  const places = {
    search: () => find("#q, input[type=search]"),
    c: () => find("#contacts .contact"),
    p: () => find("#current_calls .call-steps [id^=pause_]"),
    e: () => find("#current_calls .call-end [id^=completed_]"),
  };

  function goTo(key) {
    location.assign(`${document.getElementById("timer").getAttribute("href")}#key-${key}`);
  }

  function focusOn(key) {
    const place = places[key]();
    if (place === null) return false;
    place.focus();
    place.scrollIntoView({ block: "nearest" });
    return true;
  }

  // A call is made to somebody chosen: by the focus, or by a search. Else the first is pointed at.
  // What was searched for may still be on its way: nobody is called from the list before.
  function call() {
    const chosen = document.activeElement.closest("#contacts .contact");
    const wanted = find("#q")?.value.trim();
    if (chosen !== null) chosen.click();
    else if (!wanted) focusOn("c") || goTo("c");
    else if (find("#contacts").dataset.query === wanted) places.c()?.click();
    else document.body.addEventListener("htmx:afterSettle", call, { once: true });
  }

  function inCall(key) {
    const button = places[key]();
    if (button !== null) button.click();
    else if (find("#timer [data-clock]") !== null && find("#current_calls") === null) goTo(key);
  }

  const actions = {
    "/": () => focusOn("search") || goTo("search"),
    "?": () => help.showModal(),
    c: call,
    p: () => inCall("p"),
    e: () => inCall("e"),
  };

  const isTyping = (element) =>
    element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    const isOther = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
    if (isOther || event.defaultPrevented || find("dialog[open]") || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    const named = /^[0-9a-z]$/.test(key) ? find(`[data-key="${key}"]`) : null;
    const act = named === null ? actions[key] : () => named.click();
    if (act === undefined) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-opens=keys_help]")) help.showModal();
    else if (target === help) help.close(); // beside the box
  });

  const way = location.hash.match(WAY);
  if (way !== null) {
    history.replaceState(null, "", location.pathname + location.search);
    focusOn(way[1]);
  }
})();
