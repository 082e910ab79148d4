// call: one call of a script: what it has under way, what it says to the parent, and its end.

function calls_of(host, limits) {
  'use strict';
  const { Error, JSON, Map, Math, Number, String, TypeError } = globalThis;
  const { send, format, timer, untimer, later, closed, stack: own_lines } = host;
  const kResult = 1, kInvoke = 2, kConsole = 3, kFailed = 4, kEnded = 5;
  const kMostLines = 1000, kMostTimers = 1000, kMostWaiting = 1000;
  const { stringify } = JSON;
  const calls = new Map();

  class Call {
    constructor(id, context) {
      this.id = id;
      this.context = context;
      this.act = undefined;      // what its request is about (request.js)
      this.sequence = 0;
      this.waiting = undefined;  // sequence → what to do with the parent's answer
      this.timers = undefined;   // number → {fn, args, repeat}
      this.weak = 0;             // timers that nobody waits for
      this.lines = 0;
      this.ended = false;
      this.answered = false;     // the parent has the answer
      this.patient = false;      // it ends when its promises have come to rest too, and then has its answer at the latest
      this.resting = false;
      this.running = false;      // its own code runs, or an async script has not come to its end
      calls.set(id, this);
    }

    post(type, sequence, value, flags) {
      const text = stringify(value);
      if (text.length > limits.answer) throw new Error(`The script's answer is larger than ${limits.answer} bytes.`);
      send(type, this.id, sequence, flags, text);
    }
    invoke(method, args, done) {
      if (this.ended) throw new Error(`${method} was called after the request had ended.`);
      this.waiting ??= new Map();
      if (this.waiting.size >= kMostWaiting) throw new Error('The script has too many calls under way.');
      const sequence = this.sequence = (this.sequence % 65535) + 1;
      this.post(kInvoke, sequence, { method, arguments: args }, 0);
      this.waiting.set(sequence, done);
    }
    answer(outcome) {
      this.answered = true;
      const over = this.idle();
      this.post(kResult, 0, outcome, over ? 1 : 0);
      if (over) this.close();
    }
    console(level, text) {
      if (++this.lines > kMostLines) return;
      send(kConsole, this.id, 0, 0, stringify({ level, text: (this.lines === kMostLines ? 'Further lines of this call are left out.' : text).slice(0, 10000) }));
    }

    start_timer(repeat, fn, ms, args) {
      if (typeof fn !== 'function') throw new TypeError('The first argument of a timer must be a function.');
      if (this.ended) return 0;
      this.timers ??= new Map();
      if (this.timers.size >= kMostTimers) throw new Error('The script has too many timers.');
      const id = timer(this.id, Number(ms) > 0 ? Math.min(Number(ms), 2147483647) : 0, repeat);
      this.timers.set(id, { fn, args, repeat, weak: false });
      return id;
    }
    weaken_timer(id, weak) {
      const entry = this.timers?.get(id);
      if (entry === undefined || entry.weak === weak) return;
      entry.weak = weak;
      this.weak += weak ? 1 : -1;
      this.settle();
    }
    stop_timer(id) {
      const entry = typeof id === 'number' ? this.timers?.get(id) : undefined;
      if (entry === undefined) return;
      if (entry.weak) --this.weak;
      this.timers.delete(id);
      untimer(id);
      this.settle();
    }
    ring(id) {
      const entry = this.timers?.get(id);
      if (!entry) return;
      if (!entry.repeat) {
        if (entry.weak) --this.weak;
        this.timers.delete(id);
      }
      this.run(entry.fn, ...entry.args);
      this.settle();
    }

    idle() { return !this.running && (this.waiting === undefined || this.waiting.size === 0) && (this.timers === undefined || this.timers.size === this.weak); }
    // After the answer a script may still have something under way; when that is done, the call has ended.
    settle() {
      if (this.ended || !this.idle()) return;
      if (this.patient) return this.rest();
      if (!this.answered) return;
      this.close();
      send(kEnded, this.id, 0, 0, '{}');
    }
    // Promises that stand ready have their turn first: one of them may start something new.
    rest() {
      if (this.resting) return;
      this.resting = true;
      later(this.id);
    }
    come_to_rest() {
      this.resting = false;
      if (this.ended || !this.idle()) return;
      if (!this.answered) return this.unanswered();
      this.close();
      send(kEnded, this.id, 0, 0, '{}');
    }
    // What a patient call answers when it has come to its end without one.
    unanswered() { this.answer({}); }
    // Runs on until the promise that its code gave is settled.
    until_settled(result, then) {
      if (result === null || typeof result !== 'object' || typeof result.then !== 'function') {
        then(result);
        return this.settle();
      }
      this.running = true;
      const wait = async () => {
        let given;
        try { given = await result; } catch (error) { return this.fail(error ?? new Error('The script was rejected without a reason.')); }
        this.running = false;
        try { then(given); } catch (error) { return this.fail(error); }
        return this.settle();
      };
      return void wait();
    }
    fail(error, kind = 'threw') {
      if (this.ended) return;
      this.close();
      let message, stack;
      try {
        message = error instanceof Error || (error !== null && typeof error === 'object' && 'message' in error) ? String(error.message) : format([error]);
        stack = typeof error?.stack === 'string' ? own_lines(error.stack) : '';
      } catch { message = 'The script threw something that cannot be shown.'; stack = ''; }
      send(kFailed, this.id, 0, 0, stringify({ kind, message: message.slice(0, 4000), stack: stack.slice(0, 20000) }));
    }
    close() {
      this.ended = true;
      if (this.timers !== undefined) {
        for (const id of this.timers.keys()) untimer(id);
        this.timers.clear();
      }
      this.waiting?.clear();
      calls.delete(this.id);
      closed(this.id);
    }
    // Every entry into the script's own code but the first; settle() follows.
    run(fn, ...args) {
      if (this.ended) return undefined;
      const was = this.running;
      this.running = true;
      try { return fn(...args); } catch (error) { this.fail(error); return undefined; } finally { this.running = was; }
    }
  }
  return { Call, calls };
}
