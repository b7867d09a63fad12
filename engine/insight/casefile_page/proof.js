// What is checked without any network: hashes (FIPS 180-4), the tree of RFC 6962, signed notes (C2SP) by the browser's own Ed25519.
var proof = (function () {
  "use strict";

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
  function fromHex(text) {
    var bytes = new Uint8Array(text.length / 2);
    for (var i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.substr(2 * i, 2), 16);
    return bytes;
  }
  function toHex(bytes) { return Array.prototype.map.call(bytes, function (one) { return ("0" + one.toString(16)).slice(-2); }).join(""); }
  // Bytes out of base64, written in the one way that there is; null where it is written otherwise.
  function fromBase64(text) {
    try {
      var told = atob(text);
      return btoa(told) === text ? Uint8Array.from(told, function (one) { return one.charCodeAt(0); }) : null;
    } catch (fault) { return null; }
  }
  function joined(parts) {
    var bytes = new Uint8Array(parts.reduce(function (sum, one) { return sum + one.length; }, 0)), at = 0;
    parts.forEach(function (one) { bytes.set(one, at); at += one.length; });
    return bytes;
  }
  function hash(parts) { return fromHex(sha256(joined(parts))); }
  function commitment(salt, value) { return sha256(joined([fromHex(salt), utf8(canonical(value))])); }

  // The leaf of a line, and the root that its proof leads to (RFC 9162 §2.1.3.2); null where it leads nowhere.
  function leaf(instance, seq, digest) {
    var eight = new Uint8Array(8);
    for (var i = 7, left = seq; i >= 0; i--, left = Math.floor(left / 256)) eight[i] = left % 256;
    return hash([[0], fromHex(instance.replace(/-/g, "")), eight, fromHex(digest)]);
  }
  function rootOf(index, size, found, path) {
    var half = function (number) { return Math.floor(number / 2); };
    var place = index, last = size - 1;
    if (!(index >= 0 && index < size)) return null;
    for (var i = 0; i < path.length; i++) {
      if (last === 0 || !path[i] || path[i].length !== 32) return null;
      if (place % 2 || place === last) {
        found = hash([[1], path[i], found]);
        while (place % 2 === 0 && place) { place = half(place); last = half(last); }
      } else found = hash([[1], found, path[i]]);
      place = half(place);
      last = half(last);
    }
    return last === 0 ? found : null;
  }

  // `name+id+base64(algorithm ‖ public key)`: 1 signs a log, 4 is a witness's.
  function readKey(text) {
    var parts = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()), bytes = parts && fromBase64(parts[3]);
    if (!bytes || bytes.length !== 33 || (bytes[0] !== 1 && bytes[0] !== 4)) return null;
    if (sha256(joined([utf8(parts[1] + "\n"), bytes])).slice(0, 8) !== parts[2]) return null;
    return { text: text.trim(), name: parts[1], id: parts[2], algorithm: bytes[0], bytes: bytes.slice(1) };
  }
  // A note's text, and its signatures.
  function openNote(note) {
    var at = note.lastIndexOf("\n\n"), signatures = [];
    if (at < 0 || note.slice(-1) !== "\n") return null;
    var lines = note.slice(at + 2, -1).split("\n");
    for (var i = 0; i < lines.length; i++) {
      var parts = /^\u2014 (\S+) (\S+)$/.exec(lines[i]), bytes = parts && fromBase64(parts[2]);
      if (!bytes || bytes.length < 5) return null;
      signatures.push({ name: parts[1], id: toHex(bytes.slice(0, 4)), bytes: bytes.slice(4) });
    }
    return { text: note.slice(0, at + 1), signatures: signatures };
  }
  function readCheckpoint(text) {
    var lines = text.split("\n"), root = lines.length > 3 ? fromBase64(lines[2]) : null;
    return root && root.length === 32 && /^[1-9][0-9]{0,15}$/.test(lines[1]) ? { origin: lines[0], size: Number(lines[1]), root: root } : null;
  }

  // Ed25519 is the browser's. Whether it has it is asked with the first vector of RFC 8032.
  function holds(key, signature, message) {
    return crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"])
      .then(function (made) { return crypto.subtle.verify({ name: "Ed25519" }, made, signature, message); })
      .catch(function () { return false; });
  }
  var canSign = window.crypto && crypto.subtle ? holds(
    fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    fromHex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    new Uint8Array(0)) : Promise.resolve(false);
  // Which of these keys signed the note; undefined where none did.
  function signer(note, keys) {
    var tries = [];
    keys.forEach(function (key) {
      note.signatures.forEach(function (one) {
        if (one.name === key.name && one.id === key.id) tries.push(holds(key.bytes, one.bytes, utf8(note.text)).then(function (is) { return is ? key : undefined; }));
      });
    });
    return Promise.all(tries).then(function (found) { return found.filter(Boolean).pop(); });
  }
  // A witness's signature, after its second: false, or when it saw the log.
  function seenAt(note, signature, key) {
    var seconds = signature.bytes.slice(0, 8).reduce(function (sum, one) { return sum * 256 + one; }, 0);
    return holds(key.bytes, signature.bytes.slice(8), utf8("cosignature/v1\ntime " + seconds + "\n" + note.text)).then(function (is) { return is && new Date(seconds * 1000); });
  }
  // The keys that a trusted one vouches for, itself first: each by the word of the one before.
  function follow(trusted, chain) {
    return chain.reduce(function (before, link) {
      return before.then(function (found) {
        var key = readKey(link.key), word = link.word && openNote(link.word), last = found[found.length - 1];
        if (!key || !word || word.text !== "masar/key-rotation\n" + last.text + "\n" + key.text + "\n") return found;
        return signer(word, [last]).then(function (is) { return is ? found.concat(key) : found; });
      });
    }, Promise.resolve([trusted]));
  }

  return { sha256: sha256, utf8: utf8, commitment: commitment, fromBase64: fromBase64, toHex: toHex, leaf: leaf, rootOf: rootOf, readKey: readKey, openNote: openNote,
           readCheckpoint: readCheckpoint, canSign: canSign, signer: signer, seenAt: seenAt, follow: follow };
})();
