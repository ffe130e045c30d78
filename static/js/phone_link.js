// The way from any page to the phone's window: a link that begins with webphone: dials in it. What is
// to be dialled waits in localStorage, so that the phone which is there, or the one that opens, takes
// it, and takes it once.
(() => {
  "use strict";

  const SCHEME = "webphone:";
  const ANSWERS_IN_MS = 250;
  const { user } = document.getElementById("timer").dataset;
  const PHONE = `callmanager.phone.${user}`;
  const channel = new BroadcastChannel(PHONE);
  const way = document.querySelector("[data-phone]");
  let heard = false;

  channel.addEventListener("message", ({ data }) => (heard ||= data === "here"));

  // A window that is there is left alone: to open it again would load it again, and end its calls.
  function call(word) {
    heard = false;
    channel.postMessage(word);
    setTimeout(() => heard || open(), ANSWERS_IN_MS);
  }

  function open() {
    const opened = window.open(way.href, PHONE, "popup,width=360,height=640");
    if (opened === null) window.callManager.notice(way.dataset.blocked);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(`a[href^="${SCHEME}"], [data-phone]`);
    if (!link) return;
    event.preventDefault();
    if (link === way) return call("hello");
    const number = decodeURIComponent(link.getAttribute("href").slice(SCHEME.length));
    const asked = { number, call_id: link.dataset.call || "", at: Date.now() };
    localStorage.setItem(`${PHONE}.dial`, JSON.stringify(asked));
    return call("dial");
  });
})();
