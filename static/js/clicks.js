// No click is lost. A form with data-click carries when it was clicked and sent; if it cannot be
// sent, it is kept in localStorage, apart for each person, shown as waiting, and sent again every few
// seconds, in order, with the time of the click. A start brings its own call id, so that a start
// sent twice is one call.
(() => {
  "use strict";

  const RETRY_MS = 3000;
  const { notice, lost, tell } = window.callManager;
  const own = document.getElementById("timer").dataset.user;
  const STORE = `callmanager.clicks.${own}`;
  const NOBODY = "00000000-0000-0000-0000-000000000000";
  let sending = false;

  const read = () => JSON.parse(localStorage.getItem(STORE) || "[]");

  function write(clicks) {
    localStorage.setItem(STORE, JSON.stringify(clicks));
    show(clicks);
  }

  function uuid7() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const time = BigInt(Date.now());
    for (let place = 0; place < 6; place += 1) {
      bytes[place] = Number((time >> BigInt(8 * (5 - place))) & 0xffn);
    }
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  // --- The phone ---------------------------------------------------------------------------------
  function dial(number) {
    const link = document.createElement("a");
    link.href = `tel:${number}`;
    link.hidden = true;
    document.body.append(link);
    link.click();
    link.remove();
  }

  document.body.addEventListener("dial", ({ detail }) => dial(detail.number));

  // --- Keeping -----------------------------------------------------------------------------------
  function keep(form, path, fields) {
    const fresh = Object.fromEntries(fields);
    delete fresh.csrfmiddlewaretoken;
    delete fresh.sent_at;
    const said = form.querySelector(`[name=status][value=${fresh.status}]`)?.textContent.trim();
    const label = [form.dataset.label, said].filter(Boolean).join(" · ");
    const number = form.dataset.number;
    write([...read(), { id: uuid7(), path, fields: fresh, label, number }]);
    if (number) dial(number);
  }

  function stampedFields(form, fields) {
    fields.clicked_at = Date.now();
    fields.sent_at = fields.clicked_at;
    if (form.dataset.start !== undefined) fields.call_id = uuid7();
  }

  const isClick = (element) => element?.matches?.("form[data-click]");

  document.body.addEventListener("htmx:configRequest", ({ detail }) => {
    if (isClick(detail.elt)) stampedFields(detail.elt, detail.parameters);
  });

  // While others wait, or the browser knows that it is offline, a click joins the queue at once.
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = event.detail;
    if (!isClick(elt) || (navigator.onLine && read().length === 0)) return;
    event.preventDefault();
    keep(elt, requestConfig.path, requestConfig.formData);
    flush();
  });

  function failed({ detail }) {
    if (isClick(detail.elt)) keep(detail.elt, detail.requestConfig.path, detail.requestConfig.formData);
  }
  document.body.addEventListener("htmx:sendError", failed);
  document.body.addEventListener("htmx:timeout", failed);
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if ([502, 503, 504].includes(event.detail.xhr.status)) {
      failed({ detail: { elt: event.detail.requestConfig.elt, requestConfig: event.detail.requestConfig } });
    }
  });

  // The second half of a double click is no further click.
  document.addEventListener(
    "click",
    (event) => {
      if (event.detail > 1 && event.target.closest("form[data-click]")) event.preventDefault();
    },
    true,
  );

  // The end of a call whose start still waits: it joins the queue behind its start.
  document.getElementById("waiting_list")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = new FormData(event.target, event.submitter);
    fields.set("clicked_at", Date.now());
    keep(event.target, event.target.getAttribute("action"), fields);
    flush();
  });

  // --- Sending -----------------------------------------------------------------------------------
  async function post(click) {
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] || "";
    return fetch(click.path, {
      method: "POST",
      body: new URLSearchParams({ ...click.fields, sent_at: Date.now() }),
      headers: { "HX-Request": "true", "X-CSRFToken": token },
      redirect: "manual",
      signal: AbortSignal.timeout(10000),
    });
  }

  function report(text, level) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const said = page.querySelector("#notice .notice")?.textContent.trim();
    if (said) notice(said, level);
  }

  // True when the server has taken or finally refused the click; false to try again later.
  async function deliver(click) {
    let answer;
    try {
      answer = await post(click);
    } catch {
      lost();
      return false;
    }
    const signIn = answer.headers.get("HX-Redirect");
    if (signIn) location.assign(signIn);
    const ours = answer.headers.get("HX-Retarget") !== null;
    if (ours) report(await answer.text(), answer.ok ? "good" : "bad");
    return ours;
  }

  async function sendAll() {
    const before = read().length;
    for (let click = read()[0]; click !== undefined; click = read()[0]) {
      if (!(await deliver(click))) break;
      write(read().filter((other) => other.id !== click.id));
    }
    if (read().length < before) tell("live", { type: "resync" });
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
  function line(click, ended) {
    const start = click.fields.call_id !== undefined;
    const running = start && !ended.has(click.fields.call_id);
    const made = document.getElementById(running ? "waiting_start" : "waiting_click");
    const item = made.content.cloneNode(true).firstElementChild;
    item.querySelector("time").textContent = new Date(Number(click.fields.clicked_at)).toLocaleTimeString();
    item.querySelector(".waiting-label").textContent = click.label;
    item.querySelector(".waiting-drop").addEventListener("click", () => take(click));
    if (!running) return item;
    item.querySelector(".clock").dataset.elapsedMs = Date.now() - click.fields.clicked_at;
    const form = item.querySelector("form");
    form.setAttribute("action", form.getAttribute("action").replace(NOBODY, click.fields.call_id));
    form.dataset.label = click.label;
    return item;
  }

  // Taken back by the person, together with what was said of the same call after its start.
  function take(click) {
    const about = click.fields.call_id;
    write(read().filter((other) => other.id !== click.id && !(about && other.path.includes(about))));
  }

  function show(clicks) {
    const area = document.getElementById("waiting");
    for (const form of document.querySelectorAll("#current_calls form[data-click]")) {
      const waits = clicks.some((click) => click.path === form.getAttribute("action"));
      form.classList.toggle("is-waiting", waits);
      for (const button of form.querySelectorAll("button")) button.disabled = waits;
    }
    if (area === null) return;
    const ended = new Set(clicks.map((click) => click.path.match(/([0-9a-f-]{36})\/end\/$/)?.[1]));
    document.getElementById("waiting_list").replaceChildren(...clicks.map((click) => line(click, ended)));
    area.hidden = clicks.length === 0;
    tell("clocks");
  }

  addEventListener("storage", (event) => event.key === STORE && show(read()));
  addEventListener("online", flush);
  document.body.addEventListener("network-back", flush);
  document.body.addEventListener("line-up", flush);
  document.body.addEventListener("htmx:load", () => show(read()));
  setInterval(flush, RETRY_MS);
  show(read());
  flush();
})();
