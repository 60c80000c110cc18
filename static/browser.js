// What the app asks of the browser, each of which a browser may refuse: to copy, to save a file, to keep a draft.
(function () {
  // Where the browser's storage is closed (a frame without an origin, a setting), even to look at it throws.
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

  // Says whether it could be kept.
  window.chainwalkSet = function (name, value) {
    try {
      if (value) localStorage.setItem(name, value);
      else localStorage.removeItem(name);
      return true;
    } catch (refused) {
      return false;
    }
  };

  // Drafts: each tab has its own, so that two of them do not overwrite each other's; a new tab begins with the newest.
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

  // Without a text all of them go.
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

  // Set while a draft comes up: where it is still set the next time, it never did.
  window.chainwalkOpening = function (opening) {
    var tab = storage("sessionStorage");
    var before = Boolean(tab && tab.getItem("chainwalk.opening"));
    if (tab && opening) tab.setItem("chainwalk.opening", "1");
    else if (tab) tab.removeItem("chainwalk.opening");
    return before;
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
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: type }));
    link.download = name;
    link.click();
    // The browser has begun to read it by then.
    setTimeout(function () {
      URL.revokeObjectURL(link.href);
    }, 60000);
  };

  window.chainwalkSecret = function () {
    return crypto.getRandomValues(new Uint8Array(16));
  };

  // The part behind `#` of the address, without a step back to what stood there.
  window.chainwalkAddress = function (fragment) {
    try {
      history.replaceState(null, "", fragment ? "#" + fragment : location.pathname + location.search);
    } catch (refused) {
      // In a frame without an origin the address is not ours.
    }
  };
})();
