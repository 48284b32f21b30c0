(function () {
  "use strict";
  var panel = document.getElementById("panel"), empty = panel.firstElementChild;
  panel.hidden = false;
  function show(event) {
    var link = event.target.closest && event.target.closest(".picture a[href^='#']");
    var row = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!row) { return; }
    var parts = [];
    Array.prototype.forEach.call(row.cells, function (cell) {
      var part = document.createElement(cell.cellIndex < 2 ? "span" : "div");
      Array.prototype.forEach.call(cell.childNodes, function (node) { part.appendChild(node.cloneNode(true)); });
      if (cell.cellIndex < 2) { part.appendChild(document.createTextNode(" \u00a0 ")); }
      parts.push(part);
    });
    panel.replaceChildren.apply(panel, parts.length ? parts : [empty]);
  }
  document.addEventListener("mouseover", show);
  document.addEventListener("focusin", show);
}());
