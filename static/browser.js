// The app's calls of the browser: copy, save a file, store a draft, each of which may be refused; and scroll to a part of the
// page.
(function () {
  // Without storage (a frame without an origin, a setting), even reading the property throws.
  function storage(name) {
    try {
      return window[name];
    } catch (refused) {
      return null;
    }
  }

  window.chainwalkSetting = function (name) {
    var kept = storage("localStorage");
    return (kept && kept.getItem(name)) || "";
  };

  // Returns whether the browser stored it.
  window.chainwalkSet = function (name, value) {
    try {
      if (value) localStorage.setItem(name, value);
      else localStorage.removeItem(name);
      return true;
    } catch (refused) {
      return false;
    }
  };

  // Drafts: each tab has its own, so that two tabs do not overwrite each other's; a new tab begins with the newest.
  var DRAFT = "chainwalk.draft.";
  var MOST = 4;

  function drafts() {
    var kept = storage("localStorage");
    if (!kept) return [];
    var names = Object.keys(kept).filter(function (name) {
      return name.indexOf(DRAFT) === 0;
    });
    function age(name) {
      return parseInt(kept.getItem(name), 10) || 0;
    }
    return names.sort(function (a, b) {
      return age(b) - age(a);
    });
  }

  function own() {
    var tab = storage("sessionStorage");
    if (tab && !tab.getItem("chainwalk.tab")) tab.setItem("chainwalk.tab", Math.random().toString(36).slice(2));
    return DRAFT + (tab && tab.getItem("chainwalk.tab"));
  }

  window.chainwalkDraft = function () {
    var kept = storage("localStorage");
    var draft = kept && (kept.getItem(own()) || kept.getItem(drafts()[0]));
    return draft ? draft.slice(draft.indexOf(" ") + 1) : "";
  };

  // Without a text, removes all drafts.
  window.chainwalkKeep = function (text) {
    if (!text)
      return drafts().every(function (name) {
        return chainwalkSet(name, "");
      });
    var done = chainwalkSet(own(), Date.now() + " " + text);
    drafts()
      .slice(MOST)
      .forEach(function (name) {
        chainwalkSet(name, "");
      });
    return done;
  };

  // Set while a draft loads: if it is still set at the next start, the draft never finished loading.
  window.chainwalkOpening = function (opening) {
    var tab = storage("sessionStorage");
    var before = Boolean(tab && tab.getItem("chainwalk.opening"));
    if (tab && opening) tab.setItem("chainwalk.opening", "1");
    else if (tab) tab.removeItem("chainwalk.opening");
    return before;
  };

  // Reloads the page with a note for its next start. Returns whether that is possible.
  window.chainwalkRestart = function (note) {
    try {
      sessionStorage.setItem("chainwalk.restart", note);
      location.reload();
      return true;
    } catch (refused) {
      return false;
    }
  };

  // The note of the previous start; the second call returns nothing.
  window.chainwalkRestarted = function () {
    var tab = storage("sessionStorage");
    var note = (tab && tab.getItem("chainwalk.restart")) || "";
    if (note) tab.removeItem("chainwalk.restart");
    return note;
  };

  // The app has panicked: restarts the page without the failed part, if the app can name it. Returns whether it does.
  window.chainwalkPanicked = function (message) {
    try {
      var note = wasm_bindgen.chainwalkNote(message);
      return Boolean(note) && chainwalkRestart(note);
    } catch (panicked) {
      return false;
    }
  };

  // Selects the field's text and copies it. Without a clipboard, as on plain http, the text stays selected for the reader.
  window.chainwalkCopy = function (id, done) {
    var field = document.getElementById(id);
    field.focus();
    field.select();
    if (!navigator.clipboard) return done(false);
    navigator.clipboard.writeText(field.value).then(
      function () {
        done(true);
      },
      function () {
        done(false);
      },
    );
  };

  window.chainwalkSave = function (name, type, text) {
    give(name, new Blob([text], { type: type }));
  };

  function give(name, file) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    // The browser has begun to read it by then.
    setTimeout(function () {
      URL.revokeObjectURL(link.href);
    }, 60000);
  }

  // Saves a drawing of the page as a self-contained file: it includes every color and font.
  window.chainwalkPicture = function (svg, png) {
    var looks = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "font-family",
      "font-size", "font-weight", "text-anchor"];
    var copy = svg.cloneNode(true);
    var shown = svg.querySelectorAll("rect, path, circle, text");
    copy.querySelectorAll("rect, path, circle, text").forEach(function (element, at) {
      var style = getComputedStyle(shown[at]);
      looks.forEach(function (look) {
        if (element.tagName === "text" || look.indexOf("font") < 0) element.setAttribute(look, style.getPropertyValue(look));
      });
      if (element.classList.contains("hit")) element.remove();
    });
    copy.querySelectorAll("*").forEach(function (element) {
      ["class", "role", "tabindex", "data-current", "aria-current", "aria-label"].forEach(function (name) {
        element.removeAttribute(name);
      });
    });
    copy.setAttribute("role", "img");
    var ground = document.createElementNS(svg.namespaceURI, "rect");
    ground.setAttribute("width", "100%");
    ground.setAttribute("height", "100%");
    ground.setAttribute("fill", getComputedStyle(document.documentElement).backgroundColor);
    copy.insertBefore(ground, copy.querySelector("g"));
    var file = new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
    if (!png) return give("chainwalk.svg", file);
    var address = URL.createObjectURL(file);
    var image = new Image();
    image.onload = function () {
      var canvas = document.createElement("canvas");
      // Sharp also on screens with two pixels per CSS pixel.
      canvas.width = 2 * image.width;
      canvas.height = 2 * image.height;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(address);
      canvas.toBlob(function (picture) {
        give("chainwalk.png", picture);
      });
    };
    image.src = address;
  };

  // Goes to a part of the page after it has rendered: `sight` is the `block` of scrollIntoView. The part gets the focus, unless
  // it is only to be seen.
  window.chainwalkShow = function (selector, sight, focus) {
    setTimeout(function () {
      whenThere(selector, function (part) {
        if (focus) part.focus({ preventScroll: Boolean(sight) });
        if (sight) part.scrollIntoView({ block: sight });
      });
    });
  };

  // Calls a function with an element as soon as the page has it. On a slow machine it may render later than the next task; an
  // element that is missing after some seconds was never requested.
  function whenThere(selector, act) {
    var LONGEST = 5000;
    var part = document.querySelector(selector);
    if (part) return act(part);
    var observer = new MutationObserver(function () {
      var part = document.querySelector(selector);
      if (!part) return;
      observer.disconnect();
      act(part);
    });
    observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["id"] });
    setTimeout(function () {
      observer.disconnect();
    }, LONGEST);
  }

  function rect(element) {
    return element.getBoundingClientRect();
  }

  // The row of a list at the top of the visible part. It is -1 unless the rendered rows, from `start` to `end`, end near that
  // part.
  window.chainwalkRow = function (list, start, end, all, height) {
    // The distance that counts as near, in pixels.
    var NEAR = 600;
    var gaps = list.querySelectorAll(".gap");
    if (gaps.length < 2) return -1;
    var view = rect(list);
    var above = rect(gaps[0]);
    var below = rect(gaps[1]);
    // On a narrow screen the whole page scrolls, not the list.
    var top = Math.max(view.top, 0);
    var early = start > 0 && above.bottom > top - NEAR;
    var late = end < all && below.top < Math.min(view.bottom, innerHeight) + NEAR;
    if (!early && !late) return -1;
    // Uses the rendered rows where possible.
    var made = below.top - above.bottom;
    var into = top - above.bottom;
    var known = into >= 0 && into <= made && made >= 1;
    return Math.max(0, known ? start + (into / made) * (end - start) : (top - above.top) / height);
  };

  // Scrolls a list, and nothing but the list, as little as needed to show the current row below the sticky headings.
  window.chainwalkFollow = function (list, covered) {
    // After the page is complete, because later content changes the list's height.
    setTimeout(function () {
      var heads = list.querySelector(".heads");
      if (heads) covered = heads.offsetHeight;
      var row = list.querySelector("[data-chosen]") || list.querySelector("[data-current]");
      if (!row) return;
      // On the map the lowest element counts: a table's name is above its steps, and its chains are below them.
      var map = list.matches(".map");
      if (map)
        list.querySelectorAll("[data-current]").forEach(function (other) {
          if (rect(other).bottom > rect(row).bottom) row = other;
        });
      var seen = rect(list);
      var place = rect(row);
      var above = place.top - seen.top - covered;
      var below = place.bottom - seen.bottom + (map ? 72 : 24);
      list.scrollTop += Math.round(above < 0 ? above : Math.min(Math.max(below, 0), above));
      // A heading of a chain that is not at its place yet would hide half of the one before it.
      list.querySelectorAll("[data-chain]").forEach(function (heading) {
        var style = getComputedStyle(heading);
        var cuts = rect(heading).top - seen.top - list.clientTop - parseInt(style.top, 10);
        if (style.position === "sticky" && cuts > 0 && cuts < heading.offsetHeight) list.scrollTop += Math.ceil(cuts);
      });
    });
  };

  // A press that takes the focus from a field may move its target. The target still gets the click. `pressed` is its earlier
  // place.
  var pressed = null;
  document.addEventListener("pointerdown", function (event) {
    var target = event.target.closest("button, a, summary");
    pressed = target && { target: target, x: event.clientX, y: event.clientY };
  }, true);
  document.addEventListener("pointerup", function (event) {
    var was = pressed;
    pressed = null;
    if (!was || was.target.contains(event.target) || !was.target.isConnected) return;
    if (Math.abs(was.x - event.clientX) < 4 && Math.abs(was.y - event.clientY) < 4) was.target.click();
  }, true);

  // A reference to a part of the page leads to it.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-to]");
    if (link) chainwalkShow("#" + link.dataset.to, "start", true);
  });

  // The line of a packet scrolls completely into view when it gets the focus.
  document.addEventListener("focusin", function (event) {
    if (event.target.matches(".whole-line textarea")) event.target.scrollIntoView({ block: "nearest" });
  });

  // Measures the answer's height and the top of the columns: the style sheet gives them the rest of the window.
  window.chainwalkMeasure = function () {
    var answer = document.querySelector(".verdict");
    new ResizeObserver(function () {
      var root = document.documentElement.style;
      root.setProperty("--answer", answer.offsetHeight + "px");
      root.setProperty("--above", document.querySelector(".columns").offsetTop + "px");
    }).observe(answer);
  };

  // The scroll position of each tab of a narrow screen.
  var left = {};

  // A tab opens at its last position, or at its top; with new rules all tabs begin at the top.
  window.chainwalkLeaveTab = function () {
    var tab = document.querySelector(".tabs [aria-selected='true']");
    if (tab) left[tab.id.slice("tab-".length)] = scrollY;
  };

  window.chainwalkEnterTab = function (to, otherRules) {
    if (otherRules) left = {};
    if (!document.querySelector(".tabs").offsetHeight) return;
    setTimeout(function () {
      // The focus may already be in a part of it.
      if (document.getElementById("pane-" + to).contains(document.activeElement)) return;
      var top = document.querySelector(".columns").offsetTop - document.querySelector(".verdict").offsetHeight;
      scrollTo(0, Math.max(left[to] || 0, Math.min(scrollY, top)));
    });
  };

  window.chainwalkSecret = function () {
    return crypto.getRandomValues(new Uint8Array(16));
  };

  // Sets the part of the address after `#`, without a new step in the history.
  window.chainwalkAddress = function (fragment) {
    try {
      history.replaceState(null, "", fragment ? "#" + fragment : location.pathname + location.search);
    } catch (refused) {
      // In a frame without an origin the page cannot change the address.
    }
  };
})();
