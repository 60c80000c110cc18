// Starts the app, and reports when the app cannot start or has stopped. This part of the page must work when every other part
// fails: it uses plain DOM, old syntax and its own styles.
//
// It runs before every other script of the page. The one-file page holds the app's WebAssembly and the lessons in the data blocks
// `#chainwalk-wasm` and `#chainwalk-lessons`. The hosted page names a file for each, in this script's `data-wasm` and `data-lessons`.
"use strict";
(function () {
  var script = document.currentScript;
  var faulted = false;

  // The app has started and failed: Yew never recovers from a panic. The app's panic hook also calls this. The page stays, so
  // that its text can be copied. `stays`: a script failed, not the app, so the page does not restart.
  window.chainwalkFault = function (message, stays) {
    if (!faulted && !stays && window.chainwalkPanicked && chainwalkPanicked(String(message))) faulted = true;
    show(
      "Chainwalk has stopped",
      "This is a fault in Chainwalk, not in your rules. What you pasted has not left this browser: it is probably still in " +
        "your clipboard, and text below can still be selected and copied.",
      message
    );
  };

  function show(title, advice, message) {
    // The first message names the cause; the later ones are consequences.
    if (faulted) return;
    faulted = true;
    var loading = document.getElementById("loading");
    if (loading) loading.remove();

    var panel = add(null, "section", "");
    panel.id = "chainwalk-fault";
    panel.setAttribute("role", "alert");
    panel.style.cssText =
      "position:fixed;top:0;left:0;right:0;z-index:2147483647;padding:16px;font:15px/1.5 system-ui,sans-serif;" +
      "background:Canvas;color:CanvasText;border-bottom:4px solid #a8123e";
    add(panel, "h1", title).style.cssText = "margin:0;font-size:21px";
    add(panel, "p", advice).style.cssText = "margin:8px 0;max-width:45em";
    add(panel, "pre", String(message)).style.cssText =
      "margin:8px 0;max-height:30vh;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere";
    var reload = add(panel, "button", "Reload");
    reload.addEventListener("click", function () {
      location.reload();
    });
    if (location.hash) {
      // The content of the link may have stopped the app.
      add(panel, "button", "Reload without what the link holds").addEventListener("click", function () {
        history.replaceState(null, "", location.pathname + location.search);
        location.reload();
      });
    }
    document.body.insertBefore(panel, document.body.firstChild);
    // The message begins below the page, in any layout.
    document.body.style.marginTop = panel.offsetHeight + "px";
    reload.focus();
  }

  function add(parent, name, text) {
    var element = document.createElement(name);
    element.textContent = text;
    if (name === "button") element.style.cssText = "margin:0 8px 0 0;padding:6px 14px;font:inherit";
    if (parent) parent.appendChild(element);
    return element;
  }

  window.addEventListener("error", function (event) {
    // Not errors of the page: a browser notice without an error object, and errors of extensions.
    if (!event.error || /-extension:/.test(event.filename)) return;
    var panicked = window.WebAssembly && event.error instanceof WebAssembly.RuntimeError;
    window.chainwalkFault(describe(event.error), !panicked);
  });

  window.addEventListener("unhandledrejection", function (event) {
    // The browser refused a request (clipboard, storage, full screen): the app continues.
    if (event.reason instanceof DOMException) return;
    window.chainwalkFault(describe(event.reason), true);
  });

  function describe(error) {
    var text = String(error);
    var stack = (error && error.stack) || "";
    return stack.indexOf(text) < 0 ? text + "\n" + stack : stack;
  }

  // The content of a data block of the one-file page, as a stream that decompresses it. A damaged block fails here or in the stream:
  // gzip ends in a checksum.
  function content(name) {
    var text = atob(document.getElementById("chainwalk-" + name).textContent);
    var bytes = new Uint8Array(text.length);
    for (var i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  }

  function arrived(response) {
    if (!response.ok) throw new Error(response.url + ": " + response.status + " " + response.statusText);
    return response;
  }

  // Compiles the app during the download.
  function compiled() {
    if (!script.dataset.wasm) return WebAssembly.compileStreaming(wasmResponse(content("wasm")));
    return fetch(script.dataset.wasm)
      .then(arrived)
      .then(function (response) {
        // Browsers cache the code of a fetched response, but compile only this media type.
        var typed = response.headers.get("Content-Type") === "application/wasm";
        return WebAssembly.compileStreaming(typed ? response : wasmResponse(response.body));
      });
  }

  function wasmResponse(body) {
    return new Response(body, { headers: { "Content-Type": "application/wasm" } });
  }

  // Gives the app the text of all lessons: `done` gets the text, or an empty text and the reason.
  window.chainwalkLessons = function (done) {
    lessons().then(
      function (text) {
        done(text, "");
      },
      function (error) {
        done("", error.message);
      }
    );
  };

  function lessons() {
    if (script.dataset.lessons)
      return fetch(script.dataset.lessons)
        .then(arrived)
        .then(function (response) {
          return response.text();
        });
    return new Promise(function (found) {
      found(new Response(content("lessons")).text());
    }).catch(function (error) {
      throw new Error("this file is damaged; download it again (" + error.message + ")");
    });
  }

  // At DOMContentLoaded everything that the shell needs has arrived, so on a slow line the WebAssembly does not delay it. The browser
  // compiles the app in other threads while it draws the shell. The app starts after that: it would delay the drawing.
  document.addEventListener("DOMContentLoaded", function () {
    Promise.all([Promise.resolve().then(compiled), painted()])
      .then(function (ready) {
        return wasm_bindgen({ module_or_path: ready[0] });
      })
      .catch(function (error) {
        show("Chainwalk could not start", hint(), describe(error));
      });
  });

  // Resolves once the shell is on the screen. A hidden page paints nothing.
  function painted() {
    return new Promise(function (go) {
      new PerformanceObserver(go).observe({ type: "paint", buffered: true });
      setTimeout(go, 100);
    });
  }

  function hint() {
    var hosted = script.dataset.wasm;
    if (location.protocol === "file:" && hosted)
      return "Opened as a file, this page may not load the files beside it. Open chainwalk.html instead, which holds everything, or serve this folder with any web server.";
    if (!window.WebAssembly) return "This browser has no WebAssembly, or it is switched off, as some lock-down modes do.";
    if (!hosted)
      return window.DecompressionStream
        ? "This file may be damaged: download it again. If a server sends it, the server's own Content-Security-Policy may lack 'wasm-unsafe-eval'."
        : "This page needs a browser from 2023 or later.";
    if (typeof wasm_bindgen === "undefined") return "A script did not load. Reload the page. If the error remains, a file is missing on the server.";
    return (
      "Reload the page. If the error remains, ask the host of the page to check that the .wasm file exists and that the " +
      "server's Content-Security-Policy allows 'wasm-unsafe-eval'."
    );
  }
})();
