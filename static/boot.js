// Starts the app, and speaks when it cannot start or has stopped. This is the one part of the page that must work when all else
// does not: plain DOM, old syntax, its own styles.
//
// It runs before everything else of the page. What the app is made of stands in the document, packed in the data block
// `#chainwalk-packed`, beside `#chainwalk-unpack`, which unpacks it (the one-file page); or in files, of which this script's
// `data-wasm` and `data-lessons` name those that are asked for here (the hosted page).
"use strict";
(function () {
  var script = document.currentScript;
  var faulted = false;
  // Of the one-file page: the text of all lessons.
  var lessons;

  // The app has started and met something that it cannot survive: Yew never recovers from a panic. Called by the app's panic hook,
  // too. The page stays where it is, so that text can still be copied out of it.
  window.chainwalkFault = function (message) {
    show(
      "Chainwalk has stopped",
      "This is a fault in Chainwalk, not in your rules. What you pasted has not left this browser: it is probably still in " +
        "your clipboard, and text below can still be selected and copied.",
      message
    );
  };

  function show(title, advice, message) {
    // The first message names the cause; what follows is its wake.
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
      // What the link holds may be the very thing that made the app stop.
      add(panel, "button", "Reload without what the link holds").addEventListener("click", function () {
        history.replaceState(null, "", location.pathname + location.search);
        location.reload();
      });
    }
    document.body.insertBefore(panel, document.body.firstChild);
    // Whatever the layout of the page: it begins below.
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
    // Not faults of the page: a notice that browsers send as an error without one, and what extensions do in it.
    if (!event.error || /-extension:/.test(event.filename)) return;
    window.chainwalkFault(describe(event.error));
  });

  window.addEventListener("unhandledrejection", function (event) {
    // The browser said no to a wish (clipboard, storage, full screen): the app goes on.
    if (event.reason instanceof DOMException) return;
    window.chainwalkFault(describe(event.reason));
  });

  function describe(error) {
    var text = String(error);
    var stack = (error && error.stack) || "";
    return stack.indexOf(text) < 0 ? text + "\n" + stack : stack;
  }

  // What a data block holds. It is asked for once.
  function block(name) {
    var element = document.getElementById("chainwalk-" + name);
    element.remove();
    return bytes(element.textContent);
  }

  // Puts what is packed into the page, and gives the WebAssembly.
  function unpacked() {
    var gzip = new Blob([block("unpack")]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(gzip)
      .arrayBuffer()
      .then(function (code) {
        return WebAssembly.instantiate(code);
      })
      .then(function (unpacker) {
        var its = unpacker.instance.exports;
        var packed = block("packed");
        var room = its.room(packed.length);
        new Uint8Array(its.memory.buffer).set(packed, room);
        var list = its.unpack(room, packed.length);
        if (!list) throw new Error("What this page holds is damaged.");
        // How many pieces there are, and of each where it is and how long.
        list = new Uint32Array(its.memory.buffer, list, 9);
        function piece(number) {
          return new Uint8Array(its.memory.buffer, list[2 * number + 1], list[2 * number + 2]);
        }
        function text(number) {
          return new TextDecoder().decode(piece(number));
        }
        add(document.head, "style", text(2));
        add(document.head, "script", text(1));
        lessons = text(3);
        return piece(0);
      });
  }

  // Two digits to the base 91 are thirteen bits, the lower ones first; one alone at the end is six.
  function bytes(text) {
    var read = new Uint8Array(((text.length >> 1) * 13 + (text.length & 1) * 6) >> 3);
    var held = 0;
    var bits = 0;
    for (var i = 0, at = 0; i < text.length; i += 2) {
      held |= (digit(text, i) + 91 * digit(text, i + 1)) << bits;
      for (bits += 13; bits > 7 && at < read.length; bits -= 8) {
        read[at++] = held;
        held >>= 8;
      }
    }
    return read;
  }

  // `!` to `|` without `<`; 0 behind the end.
  function digit(text, i) {
    var code = text.charCodeAt(i);
    return code > 60 ? code - 34 : code - 33 || 0;
  }

  function arrived(response) {
    if (!response.ok) throw new Error(response.url + ": " + response.status + " " + response.statusText);
    return response;
  }

  function wasm() {
    return script.dataset.wasm ? fetch(script.dataset.wasm).then(arrived) : unpacked();
  }

  // The text of all lessons, for the app: it was packed with the app, or stands in the file that this script's `data-lessons` names.
  // `done` gets the text, or nothing and what went wrong.
  window.chainwalkLessons = function (done) {
    var asked = script.dataset.lessons;
    Promise.resolve(asked ? fetch(asked).then(arrived) : new Response(lessons))
      .then(function (response) {
        return response.text();
      })
      .then(
        function (text) {
          done(text, "");
        },
        function (error) {
          done("", String(error));
        }
      );
  };

  document.addEventListener("DOMContentLoaded", function () {
    painted()
      .then(wasm)
      .then(function (wasm) {
        return wasm_bindgen({ module_or_path: wasm });
      })
      .catch(function (error) {
        show("Chainwalk could not start", hint(), describe(error));
      });
  });

  // Behind the first paint, once it is on the screen: on a slow line the shell would otherwise share it with the WebAssembly, and on a fast
  // one wait for the app. A hidden page paints nothing.
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
        ? "This file may be damaged: get it anew. If a server gives it out, a Content-Security-Policy of its own may lack 'wasm-unsafe-eval'."
        : "This takes a browser from 2023 or later.";
    if (typeof wasm_bindgen === "undefined") return "A script did not load. Reload the page; if it stays so, a file is missing on the server.";
    return (
      "Reload the page. If it stays so, whoever hosts it should look whether the .wasm file is there and whether a " +
      "Content-Security-Policy of the server lacks 'wasm-unsafe-eval'."
    );
  }
})();
