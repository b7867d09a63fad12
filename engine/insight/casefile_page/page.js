// Reads, checks and draws the case that this page holds; it asks nothing of any network. What is checked is told in the README of Masar.
(function () {
  "use strict";
  var byId = function (id) { return document.getElementById(id); };
  var state = byId("state");
  var frame = [];

  // SHA-256 (FIPS 180-4) of bytes, in hexadecimal: a browser gives its own only to pages that came over TLS.
  var K = new Uint32Array(64);
  (function () {
    var found = 0;
    for (var n = 2; found < 64; n++) {
      var prime = true;
      for (var d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
      if (prime) K[found++] = (Math.cbrt(n) % 1) * 4294967296;
    }
  })();
  var FIRST = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
  function sha256(bytes) {
    var H = new Uint32Array(FIRST), W = new Uint32Array(64), length = bytes.length;
    var whole = new Uint8Array(((length + 8) >> 6) * 64 + 64);
    whole.set(bytes);
    whole[length] = 128;
    var view = new DataView(whole.buffer);
    view.setUint32(whole.length - 8, Math.floor(length / 536870912));
    view.setUint32(whole.length - 4, (length << 3) >>> 0);
    for (var at = 0; at < whole.length; at += 64) {
      for (var i = 0; i < 16; i++) W[i] = view.getUint32(at + 4 * i);
      for (; i < 64; i++) {
        var x = W[i - 15], y = W[i - 2];
        W[i] = W[i - 16] + W[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
      }
      var a = H[0], b = H[1], c = H[2], d = H[3], e = H[4], f = H[5], g = H[6], h = H[7];
      for (i = 0; i < 64; i++) {
        var t1 = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
        var t2 = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
      }
      H[0] += a; H[1] += b; H[2] += c; H[3] += d; H[4] += e; H[5] += f; H[6] += g; H[7] += h;
    }
    return Array.prototype.map.call(H, function (word) { return ("0000000" + word.toString(16)).slice(-8); }).join("");
  }
  var utf8 = function (text) { return new TextEncoder().encode(text); };

  // RFC 8785: names in order, no spaces; a browser writes strings and numbers as the standard asks.
  function canonical(value) {
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
    return "{" + Object.keys(value).sort().map(function (name) { return JSON.stringify(name) + ":" + canonical(value[name]); }).join(",") + "}";
  }
  function commitment(salt, value) {
    var told = utf8(canonical(value)), bytes = new Uint8Array(salt.length / 2 + told.length);
    for (var i = 0; i < salt.length / 2; i++) bytes[i] = parseInt(salt.substr(2 * i, 2), 16);
    bytes.set(told, salt.length / 2);
    return sha256(bytes);
  }

  var raw = { content: byId("content").textContent, ledger: byId("ledger").textContent, style: byId("style").textContent, script: byId("script").textContent };
  var root = document.documentElement;
  frame.push('<html lang="' + root.lang + '" dir="' + root.dir + '">');
  ["m1", "m2", "m3", "m4"].forEach(function (id) { frame.push(byId(id).outerHTML); });
  frame.push(state.outerHTML);
  var isQuirky = document.compatMode !== "CSS1Compat";
  var seal = sha256(utf8(frame.concat(raw.style, raw.content, raw.ledger, raw.script).join("\n")));
  var isSealed = !isQuirky && seal === byId("seal").getAttribute("content");

  var content;
  try { content = JSON.parse(raw.content); } catch (fault) { return; } // the notice stays as it is: red
  var w = content.words;
  var fill = function (text, given) { return text.replace(/\{(\w+)\}/g, function (_, name) { return given[name]; }); };

  // Every line, in the order of its instance: its own hash, the one before it, its number; every value shown, its commitment.
  var ZERO = new Array(65).join("0");
  var faults = [], events = [];
  var counts = content.instances.map(function () { return 0; });
  var heads = content.instances.map(function () { return ZERO; });
  var rows = raw.ledger.replace(/\x1f/g, "<").split("\n");
  var values = 0;
  for (var at = 0; at + 1 < rows.length || at < rows.length; at += 2) {
    var place = events.length, told = content.lines[place] || { text: "", answers: [], hidden: 0 };
    var event = { told: told, instance: -1, line: null, opened: {}, wrong: "" };
    events.push(event);
    try {
      var parts = /^(\d+) ([0-9a-f]{64}) ([^]*)$/.exec(rows[at]);
      event.instance = Number(parts[1]);
      event.hash = parts[2];
      if (sha256(utf8(parts[3])) !== parts[2]) event.wrong = "hash";
      event.line = JSON.parse(parts[3]);
      var own = content.instances[event.instance];
      counts[event.instance] += 1;
      if (!event.wrong && (event.line.instance !== own.id || event.line.seq !== counts[event.instance])) event.wrong = "order";
      if (!event.wrong && event.line.prev !== heads[event.instance]) event.wrong = "prev";
      heads[event.instance] = parts[2];
    } catch (fault) { event.wrong = "hash"; }
    if (!event.wrong) {
      try {
        event.opened = JSON.parse(rows[at + 1]);
        Object.keys(event.opened).forEach(function (name) {
          values += 1;
          if (commitment(event.opened[name][0], event.opened[name][1]) !== event.line.sealed[name]) event.wrong = "value";
        });
        told.answers.forEach(function (one) { if (!(one[2] in event.opened)) event.wrong = "value"; });
      } catch (fault) { event.wrong = "value"; }
    }
    if (event.wrong) faults.push(event);
  }
  content.instances.forEach(function (one, place) {
    if (heads[place] !== one.head || counts[place] !== one.seq) faults.push({ told: { text: "" }, instance: place, wrong: "head", line: { seq: one.seq } });
  });
  if (events.length !== content.lines.length) faults.push({ told: { text: "" }, instance: -1, wrong: "order" });

  var first = faults[0];
  document.body.classList.toggle("broken", Boolean(first) || !isSealed);
  state.className = first || !isSealed ? "bad" : "good";
  if (first) {
    var number = first.line ? first.line.seq : events.indexOf(first) + 1;
    state.textContent = fill(w.broken, { number: number, part: first.instance >= 0 && content.instances[first.instance] ? content.instances[first.instance].name : "", why: w["wrong_" + first.wrong] });
  } else if (!isSealed) {
    state.textContent = w.damaged;
  } else {
    state.textContent = fill(w.whole, { lines: events.length, values: values });
  }

  // What is drawn: everything by its text alone, nothing as markup.
  var SVG = "http://www.w3.org/2000/svg";
  function make(tag, attributes, children) {
    var made = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) { made.setAttribute(name, attributes[name]); });
    (children || []).forEach(function (one) { made.append(one); });
    return made;
  }
  function isolated(text) { return make("bdi", {}, [text]); }
  function when(line) {
    if (!line) return "";
    return new Date(line.occurred_at).toLocaleString(root.lang === "en" ? "en-GB" : root.lang + "-TN-u-nu-latn", { timeZone: "Africa/Tunis", dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
  }
  function table(head, body) {
    return make("table", {}, [
      make("thead", {}, [make("tr", {}, head.map(function (one) { return make("th", { scope: "col" }, [one]); }))]),
      make("tbody", {}, body.map(function (row) { return make("tr", {}, row.map(function (one) { return make("td", {}, [isolated(String(one))]); })); })),
    ]);
  }

  var main = byId("main"), now = 0, chosen = null, zoom = 0.75, playing = 0;
  events.sort(function (a, b) { return a.line && b.line ? (a.line.occurred_at < b.line.occurred_at ? -1 : a.line.occurred_at > b.line.occurred_at ? 1 : 0) : 0; });
  // Where every part stood last, at each event.
  var stands = [], last = {};
  events.forEach(function (one) {
    if (one.told.here) {
      var before = last[one.instance], done = {};
      if (before && !one.told.anew) Object.keys(before.done).forEach(function (process) { done[process] = before.done[process]; });
      Object.keys(one.told.done).forEach(function (process) { done[process] = (done[process] || []).concat(one.told.done[process]); });
      last = Object.assign({}, last);
      last[one.instance] = { edition: one.told.edition, here: one.told.here, done: done };
    }
    stands.push(last);
  });

  main.append(make("h1", {}, [w.title + " ", isolated(content.case.number)]));
  main.append(make("p", { class: "soft" }, [fill(w.about, { process: content.case.process, branch: content.case.branch, opened: content.case.opened_at })]));
  main.append(make("p", { class: "soft" }, [fill(content["for"].role ? w.for_role : w.for_reader, { role: content["for"].role, name: content["for"].name, at: content.made_at })]));

  var slider = make("input", { type: "range", min: 0, max: Math.max(events.length - 1, 0), value: 0, id: "time", "aria-label": w.timeline });
  var play = make("button", { type: "button", "aria-pressed": "false" }, [w.play]);
  var back = make("button", { type: "button" }, [w.back]), on = make("button", { type: "button" }, [w.on]);
  var names = make("p", { class: "row" }), board = make("div", { class: "sheet", tabindex: "0", role: "group", id: "sheet" });
  var closer = make("button", { type: "button", "aria-label": w.closer }, ["+"]), farther = make("button", { type: "button", "aria-label": w.farther }, ["−"]);
  var detail = make("section", { "aria-live": "polite", id: "event" }), story = make("ol", { class: "story" });
  main.append(make("section", {}, [make("h2", {}, [w.timeline]), make("p", { class: "row" }, [back, slider, on, play]), names, board, make("p", { class: "row" }, [closer, farther])]));
  main.append(make("div", { class: "two" }, [detail, make("section", {}, [make("h2", {}, [w.story]), story])]));
  var buttons = events.map(function (one, place) {
    var button = make("button", { type: "button", class: one.wrong ? "wrong" : "" }, [make("time", {}, [when(one.line)]), one.told.text || w.unreadable]);
    button.addEventListener("click", function () { go(place); });
    story.append(make("li", {}, [button]));
    return button;
  });
  if (content.known.length) main.append(make("section", {}, [make("h2", {}, [w.known]), table([w.what, w.value, w.by, w.at], content.known)]));
  if (content.documents.length) main.append(make("section", {}, [make("h2", {}, [w.documents]), make("p", { class: "soft" }, [w.documents_how]), table(["SHA-256", w.kind, w.bytes, w.at], content.documents)]));
  var proofs = make("section", {}, [make("h2", {}, [w.proofs]), make("p", {}, [fill(w.checked, { lines: events.length, values: values, faults: faults.length })])]);
  // A place for what a signed log adds (checkpoint, inclusion): without it the file vouches for itself alone, and says so.
  if (!Object.keys(content.proofs).length) proofs.append(make("p", { id: "absent" }, [w.proofs_absent]));
  content.instances.forEach(function (one) { proofs.append(make("p", { class: "soft" }, [one.name + " · " + one.seq + " · ", make("code", {}, [one.head])])); });
  main.append(proofs);

  function sheetsNow() {
    var seen = {};
    Object.keys(stands[now] || {}).forEach(function (place) {
      var told = stands[now][place];
      Object.keys(told.here).concat(Object.keys(told.done)).forEach(function (process) { seen[told.edition + " " + process] = true; });
    });
    return content.sheets.filter(function (one) { return seen[one.edition + " " + one.process]; });
  }
  function marks(sheet) {
    var is = {}, was = {};
    Object.keys(stands[now] || {}).forEach(function (place) {
      var told = stands[now][place];
      if (told.edition !== sheet.edition) return;
      (told.here[sheet.process] || []).forEach(function (id) { is[id] = true; });
      (told.done[sheet.process] || []).forEach(function (id) { was[id] = true; });
    });
    return { is: is, was: was };
  }
  function has(sheet, id) { return sheet.shapes.some(function (one) { return one[0] === id; }); }
  function go(place) {
    now = Math.max(0, Math.min(events.length - 1, place));
    slider.value = now;
    slider.setAttribute("aria-valuetext", when(events[now].line) + " " + events[now].told.text);
    buttons.forEach(function (one, at) { one.setAttribute("aria-current", String(at === now)); });
    buttons[now].scrollIntoView({ block: "nearest" });
    chosen = null;
    show();
  }
  function show() {
    var drawn = sheetsNow(), node = events[now].told.node;
    var sheet = chosen || drawn.filter(function (one) { return node && has(one, node); })[0] || drawn.filter(function (one) { return Object.keys(marks(one).is).some(function (id) { return has(one, id); }); }).pop() || drawn[0] || content.sheets[0];
    names.replaceChildren();
    drawn.forEach(function (one) {
      var button = make("button", { type: "button", "aria-current": String(one === sheet) }, [one.name]);
      button.addEventListener("click", function () { chosen = one; show(); });
      names.append(button);
    });
    if (sheet) draw(sheet);
    tell(events[now]);
  }
  function shape(tag, attributes) {
    var made = document.createElementNS(SVG, tag);
    Object.keys(attributes).forEach(function (name) { made.setAttribute(name, attributes[name]); });
    return made;
  }
  function draw(sheet) {
    var box = sheet.box, isMirrored = root.dir === "rtl", found = marks(sheet), focus = null;
    var flip = function (x, width) { return isMirrored ? 2 * box[0] + box[2] - x - width : x; };
    var svg = shape("svg", { viewBox: box.join(" "), width: box[2] * zoom, height: box[3] * zoom, role: "img", "aria-label": sheet.name });
    var tip = shape("marker", { id: "tip", viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 6, markerHeight: 6, orient: "auto" });
    tip.append(shape("path", { d: "M0 0L10 5L0 10z", class: "tip" }));
    svg.append(tip);
    var style = function (id, kind) { return kind + (found.is[id] ? " is" : found.was[id] ? " was" : ""); };
    var text = function (x, y, width, height, said, kind) {
      if (!said) return;
      var holder = shape("foreignObject", { x: x, y: y, width: width, height: height });
      holder.append(make("div", { class: kind, dir: "auto" }, [said]));
      svg.append(holder);
    };
    sheet.ways.forEach(function (way) {
      var points = [];
      for (var i = 0; i < way[1].length; i += 2) points.push(flip(way[1][i], 0) + "," + way[1][i + 1]);
      svg.append(shape("polyline", { points: points.join(" "), class: style(way[0], "way"), "data-id": way[0], "marker-end": "url(#tip)" }));
    });
    sheet.shapes.forEach(function (one) {
      var id = one[0], kind = one[1], width = one[4], height = one[5], x = flip(one[2], width), y = one[3], drawn;
      var given = { class: style(id, kind), "data-id": id };
      if (kind === "event" || kind === "end") drawn = shape("circle", Object.assign(given, { cx: x + width / 2, cy: y + height / 2, r: width / 2 }));
      else if (kind === "gateway") drawn = shape("polygon", Object.assign(given, { points: [x + width / 2, y, x + width, y + height / 2, x + width / 2, y + height, x, y + height / 2].join(" ") }));
      else drawn = shape("rect", Object.assign(given, { x: x, y: y, width: width, height: height, rx: kind === "task" || kind === "call" || kind === "part" ? 10 : 0 }));
      if (kind === "pool" || kind === "lane" || kind === "part") svg.prepend(drawn); else svg.append(drawn);
      if (found.is[id] && !focus) focus = { x: x + width / 2, y: y + height / 2 };
      var label = one[7];
      if (kind === "task" || kind === "call") text(x + 3, y + 3, width - 6, height - 6, one[6], "");
      else if (label.length) text(flip(label[0], label[2]) - 20, label[1], label[2] + 40, Math.max(label[3], 45), one[6], "apart");
    });
    board.replaceChildren(svg);
    board.setAttribute("aria-label", sheet.name);
    if (focus) {
      board.scrollLeft = (focus.x - box[0]) * zoom - board.clientWidth / 2;
      if (isMirrored) board.scrollLeft = (focus.x - box[0] - box[2]) * zoom + board.clientWidth / 2;
      board.scrollTop = (focus.y - box[1]) * zoom - board.clientHeight / 2;
    }
  }
  function tell(one) {
    detail.replaceChildren(make("h2", {}, [one.told.text || w.unreadable]));
    if (one.wrong) detail.append(make("p", {}, [make("strong", {}, [w["wrong_" + one.wrong]])]));
    if (!one.line) return;
    var part = content.instances[one.instance];
    detail.append(make("p", { class: "soft" }, [when(one.line) + " · ", isolated(part.name), one.told.form ? " · " + one.told.form : ""]));
    if (one.told.answers.length) {
      var list = make("dl");
      one.told.answers.forEach(function (answer) { list.append(make("dt", {}, [answer[0]]), make("dd", {}, [isolated(answer[1])])); });
      detail.append(list);
    }
    if (one.told.hidden > 0) detail.append(make("p", { class: "soft" }, [fill(w.hidden, { number: one.told.hidden })]));
    if (one.opened.reason) detail.append(make("p", {}, [w.reason + " ", isolated(String(one.opened.reason[1]))]));
    if (one.told.why && one.told.why.length) {
      var why = make("details", { open: "" }, [make("summary", {}, [w.why])]);
      one.told.why.forEach(function (said) { why.append(make("p", {}, [said])); });
      if (!one.told.why_is_whole) why.append(make("p", { class: "soft" }, [w.why_hidden]));
      detail.append(why);
    }
    var proof = make("details", {}, [make("summary", {}, [w.line])]);
    proof.append(make("p", {}, [make("code", {}, [JSON.stringify(one.line)])]), make("p", {}, ["SHA-256 ", make("code", {}, [one.hash || ""])]));
    Object.keys(one.opened).forEach(function (name) { proof.append(make("p", { class: "soft" }, [name + " · ", make("code", {}, [one.opened[name][0] + " → " + one.line.sealed[name]])])); });
    detail.append(proof);
  }
  function stop() {
    clearInterval(playing);
    playing = 0;
    play.setAttribute("aria-pressed", "false");
    play.textContent = w.play;
  }
  slider.addEventListener("input", function () { go(Number(slider.value)); });
  back.addEventListener("click", function () { go(now - 1); });
  on.addEventListener("click", function () { go(now + 1); });
  closer.addEventListener("click", function () { zoom = Math.min(zoom * 1.25, 2); show(); });
  farther.addEventListener("click", function () { zoom = Math.max(zoom / 1.25, 0.2); show(); });
  play.addEventListener("click", function () {
    if (playing) return stop();
    play.setAttribute("aria-pressed", "true");
    play.textContent = w.pause;
    if (now >= events.length - 1) go(0);
    playing = setInterval(function () { if (now >= events.length - 1) stop(); else go(now + 1); }, 900);
  });
  if (events.length) go(0);
})();
