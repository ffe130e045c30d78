// No click is lost. What a form with data-click says is first kept in localStorage (apart for each
// person), then sent, in order; what cannot be sent is shown as waiting and tried again every few
// seconds, with the time of the click. A start brings its own call id, so that a start sent twice
// is one call. Without this script the forms post as forms do.
(() => {
  "use strict";

  const RETRY_MS = 3000;
  const PATIENCE_MS = 1200; // a click that takes longer than this is shown as waiting
  const { afterSwap, beforeSwap, found, letGo, lost, notice, tell, token } = window.callManager;
  const STORE = `callmanager.clicks.${document.getElementById("timer").dataset.user}`;
  const NOBODY = "00000000-0000-0000-0000-000000000000";
  let sending = false;

  const read = () => JSON.parse(localStorage.getItem(STORE) || "[]");
  const write = (clicks) => localStorage.setItem(STORE, JSON.stringify(clicks));

  function uuid7() {
    const time = Date.now().toString(16).padStart(12, "0");
    const bytes = crypto.getRandomValues(new Uint8Array(10));
    bytes[0] = 0x70 | (bytes[0] & 0x0f);
    bytes[2] = 0x80 | (bytes[2] & 0x3f);
    const rest = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return (time + rest).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  // In a tab of its own, which the browser closes when the phone program has opened: a page that
  // itself goes to tel: loses its live line in some browsers and its input in others meanwhile.
  function dial(address) {
    const link = document.createElement("a");
    link.href = address;
    link.dataset.dial = "";
    link.target = "_blank";
    link.rel = "noopener";
    document.body.append(link);
    link.click();
    link.remove();
  }

  // --- Keeping -----------------------------------------------------------------------------------
  function clickOf(form, button) {
    const fields = Object.fromEntries(new FormData(form, button));
    delete fields.csrfmiddlewaretoken;
    fields.clicked_at = Date.now();
    const { contact, phone, disposition } = fields;
    const about = JSON.stringify([form.getAttribute("action"), contact, phone, disposition]);
    if (form.dataset.start !== undefined) fields.call_id = uuid7();
    const said = form.dataset.start === undefined && button?.textContent.trim();
    return {
      id: uuid7(),
      about,
      path: form.getAttribute("action"),
      fields,
      label: [form.dataset.label, said].filter(Boolean).join(" · "),
      dial: form.dataset.dial,
    };
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-click]")) return;
    event.preventDefault();
    const click = clickOf(form, event.submitter);
    // The same thing again while it is on its way says nothing new.
    if (read().some((other) => other.about === click.about)) return;
    write([...read(), click]);
    show();
    setTimeout(show, PATIENCE_MS + 50);
    flush();
  });

  // The second half of a double click is no further click.
  document.addEventListener(
    "click",
    (event) => {
      if (event.detail > 1 && event.target.closest("form[data-click]")) event.preventDefault();
    },
    true,
  );

  // --- Sending -----------------------------------------------------------------------------------
  function post(click) {
    return fetch(click.path, {
      method: "POST",
      body: new URLSearchParams({ ...click.fields, sent_at: Date.now() }),
      headers: { "HX-Request": "true", "X-CSRFToken": token() },
      redirect: "manual",
      signal: AbortSignal.timeout(10000),
    });
  }

  // The running calls as they now are, with the timer and a notice beside them.
  async function take(part, answer) {
    const before = document.getElementById("current_calls");
    if (before !== null) await letGo(before);
    const panel = document.getElementById("current_calls");
    if (panel !== null) {
      beforeSwap(panel);
      htmx.swap(panel, part, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
      afterSwap();
    } else {
      const page = new DOMParser().parseFromString(part, "text/html");
      notice(page.querySelector("#notice .notice-text").textContent, answer.ok ? "good" : "bad");
    }
    const events = JSON.parse(answer.headers.get("HX-Trigger") || "{}");
    for (const [name, detail] of Object.entries(events)) tell(name, detail);
  }

  function late(click) {
    if (click.late) return;
    write(read().map((other) => (other.id === click.id ? { ...other, late: true } : other)));
    if (click.dial) dial(click.dial);
  }

  // The answer that takes or finally refuses the click; null to try again later.
  async function deliver(click) {
    try {
      const answer = await post(click);
      const part = await answer.text();
      const signIn = answer.headers.get("HX-Redirect");
      if (signIn) location.assign(signIn);
      if (answer.headers.has("X-Part")) return { answer, part };
    } catch {
      lost();
    }
    late(click);
    return null;
  }

  async function sendAll() {
    for (let click = read()[0]; click !== undefined; click = read()[0]) {
      const taken = await deliver(click);
      show();
      if (taken === null) return;
      const { id } = click;
      write(read().filter((other) => other.id !== id));
      await take(taken.part, taken.answer);
      found();
      if (!click.late && taken.answer.ok && click.dial) dial(click.dial);
    }
    show();
  }

  // One tab sends at a time, so that the order holds.
  async function flush() {
    if (sending || read().length === 0) return;
    sending = true;
    try {
      if (navigator.locks) await navigator.locks.request(STORE, sendAll);
      else await sendAll();
    } finally {
      sending = false;
    }
  }

  // --- Showing -----------------------------------------------------------------------------------
  const waits = (click) => click.late || Date.now() - click.fields.clicked_at > PATIENCE_MS;

  function line(click, ended) {
    const start = click.fields.call_id;
    const running = start !== undefined && !ended.has(start);
    const made = document.getElementById(running ? "waiting_start" : "waiting_click");
    const item = made.content.cloneNode(true).firstElementChild;
    const clicked = new Date(click.fields.clicked_at);
    item.querySelector("time").textContent = clicked.toLocaleTimeString();
    item.querySelector(".waiting-label").textContent = click.label;
    item.querySelector(".waiting-drop").addEventListener("click", () => drop(click));
    if (!running) return item;
    item.querySelector(".clock").dataset.elapsedMs = Date.now() - clicked;
    const form = item.querySelector("form");
    form.setAttribute("action", form.getAttribute("action").replace(NOBODY, start));
    form.dataset.label = click.label;
    return item;
  }

  // Taken back by the person, together with whatever was said about the same start.
  function drop(click) {
    const start = click.fields.call_id;
    const goes = (other) => other.id === click.id || (start && other.path.includes(start));
    write(read().filter((other) => !goes(other)));
    show();
  }

  function show() {
    const clicks = read();
    for (const form of document.querySelectorAll("#current_calls form[data-click]")) {
      const path = form.getAttribute("action");
      const waiting = clicks.some((click) => click.path === path);
      form.classList.toggle("is-waiting", waiting);
      for (const button of form.querySelectorAll("button")) button.ariaDisabled = String(waiting);
    }
    const area = document.getElementById("waiting");
    if (area === null) return;
    const shown = clicks.filter(waits);
    const ended = new Set(clicks.map((click) => click.path.match(/([0-9a-f-]{36})\/end\/$/)?.[1]));
    const list = document.getElementById("waiting_list");
    const key = shown.map((click) => click.id).join();
    area.hidden = shown.length === 0;
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    list.replaceChildren(...shown.map((click) => line(click, ended)));
    tell("clocks");
  }

  addEventListener("storage", (event) => {
    if (event.key !== STORE) return;
    show();
    tell("live", { type: "resync" });
  });
  addEventListener("online", flush);
  document.body.addEventListener("network-back", flush);
  document.body.addEventListener("line-up", flush);
  document.body.addEventListener("htmx:load", show);
  setInterval(flush, RETRY_MS);
  show();
  flush();
})();
