// Only what `cargo xtask serve` serves has this: the page reloads when there is another version of it. The server says which version is
// there, now and at every change; `VERSION` is this page's own, and stands before this text.
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
