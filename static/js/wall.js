// The screen on the wall: filled by its tiles, which take turns where they do not fit; full screen,
// and a sound, if asked for, when a call turns red.
(() => {
  "use strict";

  const LOOK_MS = 1000;
  const TONE_HZ = 660;
  const TONE_S = 0.25;
  const TURN_MS = 10000;
  // What a tile holds, in letters of its name: wide enough for a clock with hours, and three lines.
  const LETTERS_WIDE = 13;
  const LETTERS_HIGH = 6.5;
  const SMALLEST_LETTER = 0.9; // of the page's own; the tiles of smaller ones take turns
  const large = matchMedia("(width >= 64rem) and (height >= 34rem)"); // as in wall.css

  const full = document.getElementById("wall_full");
  const sound = document.getElementById("wall_sound");
  const heard = new Set();
  let audio = null;

  full.hidden = !document.fullscreenEnabled;
  full.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });

  function tone() {
    const [source, volume] = [audio.createOscillator(), audio.createGain()];
    source.frequency.value = TONE_HZ;
    volume.gain.value = 0.2;
    source.connect(volume).connect(audio.destination);
    source.start();
    source.stop(audio.currentTime + TONE_S);
    document.documentElement.dataset.sounded = String(Number(document.documentElement.dataset.sounded || 0) + 1);
  }

  // Browsers let a page sound only after a click: the switch is that click, and is off at first.
  sound.addEventListener("change", () => {
    if (!sound.checked) return;
    audio = audio || new AudioContext();
    audio.resume();
    look(false);
  });

  // Each call sounds once; those that are long already when the switch is set do not.
  function look(aloud) {
    for (const clock of document.querySelectorAll(".tile .clock-red")) {
      const call = clock.closest(".tile").dataset.call;
      if (heard.has(call)) continue;
      heard.add(call);
      if (aloud && sound.checked) tone();
    }
  }

  setInterval(() => look(true), LOOK_MS);

  // --- The tiles ---------------------------------------------------------------------------------
  const parts = document.querySelector(".wall-parts");
  const pageSign = document.getElementById("wall_page");
  let turn = 0;

  // The columns and rows in which `count` tiles have the largest letters, and how large those are.
  function shape(count, { width, height, gap }) {
    let best = { letter: 0, columns: 1, rows: count };
    for (let columns = 1; columns <= count; columns += 1) {
      const rows = Math.ceil(count / columns);
      const wide = (width - gap * (columns - 1)) / columns / LETTERS_WIDE;
      const high = (height - gap * (rows - 1)) / rows / LETTERS_HIGH;
      const letter = Math.min(wide, high);
      if (letter > best.letter) best = { letter, columns, rows };
    }
    return best;
  }

  function fit() {
    const list = parts.querySelector(".tiles");
    const tiles = [...list.querySelectorAll(".tile")];
    const letter = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const gap = parseFloat(getComputedStyle(list).columnGap);
    const room = { width: list.clientWidth, height: list.clientHeight, gap };
    const isShort = (pages) => {
      const each = Math.ceil(tiles.length / pages);
      return each > 1 && shape(each, room).letter < SMALLEST_LETTER * letter;
    };
    let pages = 1;
    while (large.matches && isShort(pages)) pages += 1;
    show(tiles, pages, room);
  }

  function show(tiles, pages, room) {
    const each = Math.max(1, Math.ceil(tiles.length / pages));
    const { columns, rows } = shape(each, room);
    const page = turn % pages;
    parts.style.setProperty("--columns", columns);
    parts.style.setProperty("--rows", rows);
    tiles.forEach((tile, place) => (tile.hidden = Math.floor(place / each) !== page));
    parts.dataset.fitted = "1";
    pageSign.hidden = pages === 1;
    pageSign.querySelector("span").textContent = `${page + 1} / ${pages}`;
  }

  setInterval(() => {
    turn += 1;
    fit();
  }, TURN_MS);
  parts.addEventListener("htmx:afterSwap", fit);
  new ResizeObserver(fit).observe(parts);
  fit();
})();
