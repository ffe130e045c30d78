// Says the numbers of a plot's mark: by pointing, by a tap, or by the arrow keys on the plot.
// Without this script the table below each plot has them all.
(() => {
  "use strict";

  const marksOf = (plot) => [...plot.querySelectorAll(".mark")];

  function show(mark) {
    const figure = mark.closest("figure");
    const line = figure?.querySelector(".plot-tip");
    if (!line) return;
    for (const other of figure.querySelectorAll(".mark-shown")) other.classList.remove("mark-shown");
    mark.classList.add("mark-shown");
    line.textContent = mark.dataset.tip;
  }

  const pointed = ({ target }) => target.closest?.(".plot .mark[data-tip]");

  document.addEventListener("pointerover", (event) => {
    const mark = pointed(event);
    if (mark) show(mark);
  });
  document.addEventListener("click", (event) => {
    const mark = pointed(event);
    if (mark) show(mark);
  });

  // A heat map goes up and down by a row of columns; all others know only left and right.
  function step(plot, key) {
    const row = Number(plot.dataset.columns || 0);
    return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[key] || 0;
  }

  document.addEventListener("keydown", (event) => {
    const plot = event.target.closest?.(".plot");
    if (!plot) return;
    const marks = marksOf(plot);
    const shown = marks.findIndex((mark) => mark.classList.contains("mark-shown"));
    if (event.key === "Enter" && shown >= 0) marks[shown].dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    const by = step(plot, event.key);
    if (by === 0 || marks.length === 0) return;
    event.preventDefault();
    show(marks[shown < 0 ? 0 : Math.min(marks.length - 1, Math.max(0, shown + by))]);
  });
})();
