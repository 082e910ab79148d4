// hub: context.push of apps of the second generation (5.10): the client of a notification hub. Who gets a message is said by
// tags, null for everybody; what came of it is told to a callback (error, result), or by the promise where there is none.

/// `push`: of the call, with tags for targets (push.js).
function hub(push) {
  const { Object, Promise, String } = globalThis;
  const is_function = (value) => typeof value === 'function';

  function run(send, callback) {
    if (is_function(callback)) {
      send({ success: (value) => callback(null, value), error: (error) => callback(error) });
      return undefined;
    }
    return new Promise((good, bad) => { send({ success: good, error: bad }); });
  }
  const split = (args) => (is_function(args[args.length - 1]) ? [args.slice(0, -1), args[args.length - 1]] : [args, undefined]);

  /// (tags, payload, [options,] [callback])
  const plain = (send) => (...all) => {
    const [[tags, payload], callback] = split(all);
    return run((options) => send(tags ?? null, payload, options), callback);
  };
  /// (tags, text1, text2, …, [options,] [callback]), or one object of texts and images.
  const templated = (name, send) => (...all) => {
    const [[tags, ...rest], callback] = split(all);
    let payload = rest[0];
    if (payload === null || typeof payload !== 'object') {
      const images = name.includes('Image') ? 1 : 0, texts = rest.filter((each) => typeof each !== 'object');
      payload = Object.fromEntries(texts.map((text, i) => (i < images ? [`image${i + 1}src`, String(text)] : [`text${i - images + 1}`, String(text)])));
    }
    return run((options) => send(tags ?? null, payload, options), callback);
  };
  const typed = (send, type) => (...all) => {
    const [[tags, payload], callback] = split(all);
    return run((options) => send(tags ?? null, payload, type, options), callback);
  };

  const wns = {};
  for (const name of Object.keys(push.wns)) wns[name] = /^send(Toast|Tile)./.test(name) ? templated(name, push.wns[name]) : plain(push.wns[name]);
  wns.send = (...all) => {
    const [[tags, payload, type], callback] = split(all);
    return run((options) => push.wns.send(tags ?? null, payload, String(type ?? 'wns/raw'), options), callback);
  };
  for (const type of ['toast', 'tile']) wns[`send${type === 'toast' ? 'Toast' : 'Tile'}`] = typed(push.wns.send, `wns/${type}`);
  const mpns = {};
  for (const name of Object.keys(push.mpns)) mpns[name] = plain(push.mpns[name]);
  return { send: plain(push.send), apns: { send: plain(push.apns.send) }, gcm: { send: plain(push.gcm.send) }, wns, mpns };
}
