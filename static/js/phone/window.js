// The phone's window: what is pressed in it, what the site's pages ask of it, and what it shows. Only
// one window of a person is the phone at a time.
(() => {
  "use strict";

  const { calls, cards, line, media, outbox, sound } = window.phone;
  const { user, who } = document.body.dataset;
  const { words } = cards;
  const PHONE = `callmanager.phone.${user}`;
  const ASKED = `${PHONE}.dial`; // by a page, in localStorage
  const ASKED_FOR_MS = 60000; // a click that waited for longer would ring a phone that nobody expects to
  const SHOWN_MS = 6000;
  // What an end before an answer is called where the person here brought it about.
  const GIVEN_UP = ["Canceled", "Rejected"];
  const channel = new BroadcastChannel(PHONE);
  const [fault, last, number] = ["fault", "last", "number"].map((id) => document.getElementById(id));
  const title = document.title;
  let offline = "";

  // --- What it shows -----------------------------------------------------------------------------
  function showFault(word, more = "") {
    const text = (words[word] || word).replace("%s", more);
    if (fault.textContent !== text) fault.textContent = text;
    fault.hidden = !text;
  }

  function showState(name) {
    const head = document.getElementById("state");
    head.textContent = words[name];
    document.body.dataset.state = name;
    if (name === "ready") dialAsked();
  }

  function showNetwork(word) {
    if (word === offline) return;
    offline = word;
    const note = document.getElementById("network");
    note.textContent = words[word] || "";
    note.hidden = !word;
  }

  // What sounds: the ring above all, then a call that waits, then the other phone.
  function changed() {
    const ringing = calls.all.find((call) => call.state === "ringing");
    const there = calls.all.some((call) => call.state === "ringing_there");
    const talks = calls.all.some((call) => call.state === "talking");
    if (ringing) sound.play(talks ? "waits" : "ring");
    else sound.play(there ? "away" : "");
    document.title = ringing ? words.calls_you.replace("%s", ringing.name || ringing.number) : title;
    document.body.classList.toggle("phone-busy", calls.all.length > 0);
    document.body.classList.toggle("phone-talking", talks);
    document.getElementById("wake").hidden = !(ringing && sound.isAsleep());
    cards.render();
  }

  async function came(call) {
    document.getElementById("dial").open = false;
    last.textContent = "";
    changed();
    const answer = await fetch(`${who}?${new URLSearchParams({ number: call.number })}`, { redirect: "manual" });
    if (!answer.ok) return;
    const found = await answer.json();
    call.name ||= found.name;
    call.shown = found.number;
    changed();
  }

  function ended(call, event, cause, originator) {
    const why = words[cause] || (event === "ended" ? words.ended : words.failed);
    const isOwn = event === "failed" && originator === "local" && GIVEN_UP.includes(cause);
    last.textContent = `${call.name || call.number || words.unknown}: ${isOwn ? words.ended : why}`;
    setTimeout(() => (last.textContent = ""), SHOWN_MS);
    if (calls.all.length === 0) document.getElementById("dial").open = true;
  }

  // --- What pages ask ----------------------------------------------------------------------------
  function dialAsked() {
    const asked = JSON.parse(localStorage.getItem(ASKED));
    if (asked === null || document.body.dataset.state !== "ready") return;
    localStorage.removeItem(ASKED);
    if (Date.now() - asked.at < ASKED_FOR_MS) calls.dial(asked);
  }

  function hear({ data }) {
    if (data === "dial" || data === "hello") channel.postMessage("here");
    if (data === "dial") dialAsked();
    if (data === "hello") window.focus();
  }

  // --- What is pressed ---------------------------------------------------------------------------
  const typed = (field) => field.value.replace(/[\s().\u00a0/-]/g, "");

  function dial() {
    const wanted = typed(number);
    if (!wanted) return showFault("no_number");
    showFault("");
    number.value = "";
    return calls.dial({ number: wanted });
  }

  function pass(call, card, asks) {
    const field = card.querySelector("[data-part=target]");
    const target = typed(field);
    if (!target) return showFault("no_number");
    showFault("");
    field.value = "";
    card.querySelector(".phone-pass").hidden = true;
    return asks ? calls.dial({ number: target }) : calls.transfer(call, target);
  }

  const deeds = {
    answer: calls.answer,
    hang: calls.hangUp,
    hold: calls.hold,
    mute: calls.mute,
    pass: (call, card) => {
      const form = card.querySelector(".phone-pass");
      form.hidden = !form.hidden;
      if (!form.hidden) form.querySelector("input").focus();
    },
    at_once: (call, card) => pass(call, card, false),
    ask: (call, card) => pass(call, card, true),
    join: (call) => calls.transfer(call, "", calls.all.find((other) => other !== call)),
  };

  function pressed({ target }) {
    const key = target.closest("[data-key]")?.dataset.key;
    if (key) press(key);
    const button = target.closest("[data-do]");
    const card = button?.closest("[data-call]");
    const call = card && calls.find(card.dataset.call);
    if (call) deeds[button.dataset.do](call, card);
  }

  function press(key) {
    sound.key(key);
    const call = calls.running();
    if (call) calls.press(call, key);
    else number.value += key;
  }

  // --- Devices -----------------------------------------------------------------------------------
  async function offerDevices() {
    for (const select of document.querySelectorAll("select[data-device]")) {
      const kind = select.dataset.device;
      const found = await media.devices(kind);
      const names = kind === "audioinput" ? words.microphone : words.speaker;
      const choices = found.map(({ deviceId, label }, place) => new Option(label || names.replace("%s", place + 1), deviceId));
      select.replaceChildren(new Option(words.default_device, ""), ...choices);
      select.value = media.chosen()[kind] || "";
      if (select.selectedIndex < 0) select.value = "";
    }
  }

  function chose({ target }) {
    media.choose(target.dataset.device, target.value);
    if (target.dataset.device !== "audiooutput") return;
    for (const call of calls.all) media.speakThrough(call.audio);
    sound.setSpeaker(target.value);
  }

  // --- Beginning and end -------------------------------------------------------------------------
  function listen() {
    Object.assign(calls.listeners, { changed, came, ended, fault: showFault });
    Object.assign(line.listeners, { state: showState, fault: showFault });
    Object.assign(outbox.listeners, { fault: showNetwork, refused: (why) => showFault("not_recorded", why) });
    channel.addEventListener("message", hear);
    document.addEventListener("click", pressed);
    document.getElementById("dialler").addEventListener("submit", (event) => (event.preventDefault(), dial()));
    document.getElementById("calls").addEventListener("submit", (event) => event.preventDefault());
    document.getElementById("wake").addEventListener("click", sound.wake);
    sound.whenAwake(changed);
    const devices = document.getElementById("devices");
    devices.addEventListener("toggle", offerDevices);
    devices.addEventListener("change", chose);
    addEventListener("beforeunload", (event) => calls.all.length > 0 && event.preventDefault());
    addEventListener("pagehide", () => {
      line.stop();
      outbox.sendLast();
    });
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  async function run() {
    listen();
    outbox.buryTheDead();
    channel.postMessage("here");
    const obstacle = media.obstacle();
    if (obstacle) return showFault(obstacle);
    try {
      await line.start();
    } catch (word) {
      showFault(typeof word === "string" ? word : "offline");
    }
    return undefined;
  }

  showState("starting");
  // Kept as long as the window lives, however that ends.
  navigator.locks.request(PHONE, { ifAvailable: true }, async (lock) => {
    if (lock === null) {
      showState("refused");
      return showFault("elsewhere");
    }
    await run();
    return new Promise(() => {});
  });
})();
