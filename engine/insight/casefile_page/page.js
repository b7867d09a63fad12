// Reads, checks and draws the case that this page holds; it asks nothing of any network. What is checked is told in the README of Masar.
(function () {
  "use strict";
  var byId = function (id) { return document.getElementById(id); };
  var state = byId("state");
  var frame = [];
  var raw = { content: byId("content").textContent, ledger: byId("ledger").textContent, proofs: byId("proofs").textContent, style: byId("style").textContent, script: byId("script").textContent };
  var root = document.documentElement;
  frame.push('<html lang="' + root.lang + '" dir="' + root.dir + '">');
  ["m1", "m2", "m3", "m4"].forEach(function (id) { frame.push(byId(id).outerHTML); });
  frame.push(state.outerHTML);
  var isQuirky = document.compatMode !== "CSS1Compat";
  var seal = proof.sha256(proof.utf8(frame.concat(raw.style, raw.content, raw.ledger, raw.proofs, raw.script).join("\n")));
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
      if (proof.sha256(proof.utf8(parts[3])) !== parts[2]) event.wrong = "hash";
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
          if (proof.commitment(event.opened[name][0], event.opened[name][1]) !== event.line.sealed[name]) event.wrong = "value";
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

  // What the log adds: a signed checkpoint, and of each line the way from its leaf to the root in it. A line without one is not sealed yet, nor is any after it.
  var log = { keys: [], witnesses: [] }, note = null, said = null, isLost = false, unsealed = 0, ended = {}, ways = raw.proofs.split("\n");
  try {
    log = JSON.parse(ways[0]);
    note = log.checkpoint && proof.openNote(log.checkpoint);
    said = note && proof.readCheckpoint(note.text);
  } catch (fault) { isLost = true; }
  if ((log.checkpoint && !said) || ways.length !== events.length + 2) isLost = true;
  var nodes = ways[1] ? ways[1].split(" ").map(proof.fromBase64) : [];
  var keys = (log.keys || []).map(function (link) { return proof.readKey(link.key); });
  if (keys.indexOf(null) >= 0 || (log.witnesses || []).some(function (one) { return !proof.readKey(one.key); })) isLost = true;
  events.forEach(function (one, place) {
    var way = ways[place + 2];
    if (way === "") {
      unsealed += 1;
      ended[one.instance] = true;
    } else if (!one.wrong && !isLost) {
      var numbers = /^\d+( \d+)*$/.test(way) ? way.split(" ").map(Number) : [];
      var led = said && numbers.length && !ended[one.instance]
        ? proof.rootOf(numbers[0], said.size, proof.leaf(one.line.instance, one.line.seq, one.hash), numbers.slice(1).map(function (each) { return nodes[each]; })) : null;
      if (led && proof.toHex(led) === proof.toHex(said.root)) return;
      one.wrong = "proof";
      faults.push(one);
    }
  });
  var proven = events.length - unsealed;

  // Signatures are checked apart: of the checkpoint by a key of the log, of what witnesses saw, of this whole file.
  var written = byId("signed").getAttribute("content");
  var signed = { can: false, signer: undefined, liar: "", seen: [], file: undefined };
  function checkSignatures(can) {
    signed.can = can;
    if (!can || isLost) return undefined;
    var own = written ? proof.openNote("masar/casefile\n" + seal + "\n\n" + written + "\n") : null;
    var seen = [];
    if (note) note.signatures.forEach(function (one) {
      log.witnesses.forEach(function (witness) {
        var key = proof.readKey(witness.key);
        if (key.id === one.id && key.algorithm === 4) seen.push(proof.seenAt(note, one, key).then(function (at) { return [witness.agency, key, at]; }));
      });
    });
    return Promise.all([note && proof.signer(note, keys), own && proof.signer(own, keys), Promise.all(seen)]).then(function (found) {
      signed.signer = found[0];
      signed.file = found[1];
      signed.seen = found[2];
      signed.liar = (found[2].filter(function (one) { return !one[2]; })[0] || [""])[0];
    });
  }
  function tell(kind, text) {
    document.body.classList.toggle("broken", kind === "bad");
    state.className = kind;
    state.textContent = text;
  }
  function conclude() {
    var line = faults.filter(function (one) { return one.wrong !== "proof"; })[0], proofless = faults[0];
    var isLogFalse = isLost || (note && signed.can && !signed.signer) || (!signed.can && proven > 1 && faults.length === proven);
    if (!line && !isLogFalse) line = proofless;
    if (line) {
      var number = line.line ? line.line.seq : events.indexOf(line) + 1;
      tell("bad", fill(w.broken, { number: number, part: line.instance >= 0 && content.instances[line.instance] ? content.instances[line.instance].name : "", why: w["wrong_" + line.wrong] }));
    } else if (isLogFalse) tell("bad", fill(w.broken_log, { why: w.wrong_checkpoint }));
    else if (signed.liar) tell("bad", fill(w.broken_log, { why: fill(w.wrong_witness, { name: signed.liar }) }));
    else if (!isSealed) tell("bad", w.damaged);
    else if (signed.can && written && !signed.file) tell("bad", fill(w.broken_log, { why: w.wrong_signature }));
    else if (!proven) tell("part", w.not_sealed);
    else if (unsealed) tell("part", fill(w.partly, { why: fill(w.not_all_sealed, { number: unsealed }) }));
    else if (!signed.can) tell("part", fill(w.partly, { why: w.no_signatures }));
    else if (!written) tell("part", fill(w.partly, { why: w.unsigned }));
    else tell("good", fill(w.whole, { lines: events.length, values: values, key: signed.signer.id }));
  }
  tell("wait", w.checking);
  proof.canSign.then(checkSignatures).catch(function () { isLost = true; }).then(conclude).then(showProofs);

  // What is drawn: everything by its text alone, nothing as markup.
  var SVG = "http://www.w3.org/2000/svg";
  function make(tag, attributes, children) {
    var made = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) { made.setAttribute(name, attributes[name]); });
    (children || []).forEach(function (one) { made.append(one); });
    return made;
  }
  function isolated(text) { return make("bdi", {}, [text]); }
  function when(line) { return line ? moment(new Date(line.occurred_at)) : ""; }
  function moment(at) {
    return at.toLocaleString(root.lang === "en" ? "en-GB" : root.lang + "-TN-u-nu-latn", { timeZone: "Africa/Tunis", dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
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
  var proofs = make("section", { id: "proof" }, [make("h2", {}, [w.proofs]), make("p", {}, [fill(w.checked, { lines: events.length, sealed: proven, values: values, faults: faults.length })])]);
  main.append(proofs);
  // Who signed, who saw; and a key that the reader has from elsewhere, to be compared: a file that brings its own key vouches for itself alone.
  function showProofs() {
    if (!said) proofs.append(make("p", {}, [w.not_sealed]));
    else proofs.append(make("p", {}, [fill(signed.signer ? w.signed_by : w.signed_unchecked, { size: said.size })]), shownKey(signed.signer || keys[keys.length - 1]));
    signed.seen.forEach(function (one) {
      if (one[2]) proofs.append(make("p", {}, [fill(w.witness, { name: one[0], at: moment(one[2]) })]), shownKey(one[1]));
    });
    if (signed.signer) {
      var given = make("input", { type: "text", id: "trusted", autocomplete: "off", dir: "ltr", spellcheck: "false" }), answer = make("p", { id: "trust", role: "status" });
      given.addEventListener("input", function () { compare(given.value, answer); });
      proofs.append(make("label", { "for": "trusted" }, [w.compare]), given, answer);
    }
    if (said) proofs.append(make("details", {}, [make("summary", {}, [w.checkpoint]), make("pre", { dir: "ltr" }, [log.checkpoint])]));
    content.instances.forEach(function (one) { proofs.append(make("p", { class: "soft" }, [one.name + " · " + one.seq + " · ", make("code", {}, [one.head])])); });
  }
  function shownKey(key) { return make("p", {}, [make("code", { dir: "ltr" }, [key ? key.text : "–"])]); }
  function compare(typed, answer) {
    var key = proof.readKey(typed);
    answer.className = "";
    answer.textContent = typed.trim() ? w.no_key : "";
    conclude();
    if (key) proof.follow(key, log.keys).then(function (found) {
      var isTrusted = found.some(function (one) { return one.text === signed.signer.text; });
      answer.textContent = isTrusted ? w.trusted : w.untrusted;
      if (!isTrusted) tell("bad", w.untrusted);
    });
  }

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
    describe(events[now]);
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
  function describe(one) {
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
    var shown = make("details", {}, [make("summary", {}, [w.line])]);
    shown.append(make("p", {}, [make("code", {}, [JSON.stringify(one.line)])]), make("p", {}, ["SHA-256 ", make("code", {}, [one.hash || ""])]));
    Object.keys(one.opened).forEach(function (name) { shown.append(make("p", { class: "soft" }, [name + " · ", make("code", {}, [one.opened[name][0] + " → " + one.line.sealed[name]])])); });
    var way = (ways[events.indexOf(one) + 2] || "").split(" ");
    shown.append(make("p", { class: "soft" }, way[0] ? [fill(w.place, { index: Number(way[0]) + 1 }) + " ", make("code", {}, [way.slice(1).map(function (each) { return ways[1].split(" ")[each]; }).join(" ")])] : [w.line_not_sealed]));
    detail.append(shown);
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
