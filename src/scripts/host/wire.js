// wire: frames of one realm, read from and written to the Worker's own socket, so that the process's main thread is not
// in between. A frame is 16 bytes and a text, little-endian:
//
//   length of the text u32 · type u8 · flags u8 · sequence u16 · realm u32 · call u32

/// Cuts what `push(bytes)` brings into frames; their text is given as a copy, the files of a service as a Buffer.
function cutter(take) {
  'use strict';
  const { Buffer } = require('node:buffer');
  const kHead = 16, kBundle = 29;
  let chunks = [], held = 0, wanted = kHead;
  return (bytes) => {
    if (held > 0 || bytes.length < kHead || bytes.length < kHead + bytes.readUInt32LE(0)) {
      chunks.push(Buffer.from(bytes));
      held += bytes.length;
      if (held < wanted) return;
      bytes = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
      chunks = [];
      held = 0;
    }
    let at = 0;
    wanted = kHead;
    while (bytes.length - at >= kHead) {
      wanted = kHead + bytes.readUInt32LE(at);
      if (bytes.length - at < wanted) break;
      take(bytes[at + 4], bytes[at + 5], bytes.readUInt16LE(at + 6), bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12),
        bytes[at + 4] === kBundle ? Buffer.from(bytes.subarray(at + kHead, at + wanted)) : bytes.utf8Slice(at + kHead, at + wanted));
      at += wanted;
      wanted = kHead;
    }
    if (at === bytes.length) return;
    chunks = [Buffer.from(bytes.subarray(at))];
    held = chunks[0].length;
  };
}

/// Gives frame(type, call, sequence, flags, text). Each frame that comes has a turn of its own: a call's promises are
/// done before the next call starts, so that one whose promises never end is known by its number. The frames of all
/// turns of one read leave together, or after some milliseconds.
function wire(fd, realm, receive) {
  'use strict';
  const { Socket } = require('node:net');
  const { performance } = require('node:perf_hooks');
  const { Buffer } = require('node:buffer');
  const { setImmediate, process } = globalThis;
  const kHead = 16, kUsual = 256 << 10, kMuch = 1 << 20, kLong = 5;
  let socket;
  let out, view, end = 0, planned = false;
  function take_buffer(bytes) {
    const memory = new ArrayBuffer(bytes);
    out = Buffer.from(memory);
    view = new DataView(memory);
  }
  take_buffer(kUsual);

  function plan() {
    planned = true;
    setImmediate(flush);
  }
  function flush() {
    planned = false;
    if (end === 0) return;
    socket.write(out.subarray(0, end));
    end = 0;
    // What the kernel has taken may be overwritten.
    if (socket.writableLength > 0 || out.length > kUsual) take_buffer(kUsual);
  }
  function make_room(bytes) {
    if (end > 0) flush();
    if (bytes > out.length) take_buffer(bytes);
  }
  function frame(type, call, sequence, flags, text) {
    const most = kHead + text.length * 3;
    if (out.length - end < most) make_room(kHead + Buffer.byteLength(text));
    const bytes = out.utf8Write(text, end + kHead);
    view.setUint32(end, bytes, true);
    out[end + 4] = type;
    out[end + 5] = flags;
    view.setUint16(end + 6, sequence, true);
    view.setUint32(end + 8, realm, true);
    view.setUint32(end + 12, call, true);
    end += kHead + bytes;
    if (end > kMuch) flush();
    else if (!planned) plan();
  }

  const queue = [];
  let next = 0, left = 0;  // when frames last left
  function turn() {
    // What slow calls have to say does not wait for the slow calls behind them.
    if (end > 0) {
      const now = performance.now();
      if (now - left > kLong) {
        left = now;
        flush();
      }
    }
    const { type, flags, sequence, call, text } = queue[next];
    queue[next++] = undefined;
    if (next === queue.length) queue.length = next = 0;
    receive(type, flags, sequence, call, text);
  }
  const cut = cutter((type, flags, sequence, _, call, text) => {
    queue.push({ type, flags, sequence, call, text });
    setImmediate(turn);
  });
  const buffer = Buffer.from(new ArrayBuffer(64 << 10));
  socket = new Socket({
    fd, readable: true, writable: true,
    onread: {
      buffer,
      callback(count) {
        left = performance.now();
        cut(buffer.subarray(0, count));
        if (!planned) plan();
        return true;
      },
    },
  });
  socket.on('error', () => process.exit(0));
  socket.on('close', () => process.exit(0));
  return frame;
}
