// Only `cargo xtask serve` adds this script: it reloads the page when the server has another version of it. The server sends its
// version, now and at every change; `VERSION` is that of this page, defined before this script.
"use strict";
(function () {
  var changes = new EventSource("changes");
  changes.addEventListener("message", function (event) {
    if (event.data !== VERSION) location.reload();
  });
  // A browser allows few connections to one server: a page that is left, but kept for "back", gives its own up.
  window.addEventListener("pagehide", function () {
    changes.close();
  });
})();
