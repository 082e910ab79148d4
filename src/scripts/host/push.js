// push: what scripts know as `push` (5.8). Each call asks the parent: push.send, push.platform or push.feedback.

function pushes({ Pending, resolve, reject, looked_at, failure }) {
  const { Error, Object, String } = globalThis;

  const range = (stem, most) => { const out = []; for (let i = 1; i <= most; i++) out.push(`${stem}0${i}`.replace(/0(\d\d)$/, '$1')); return out; };
  const kToasts = [...range('ToastText', 4), ...range('ToastImageAndText', 4)];
  const kTiles = ['TileSquareBlock', 'TileSquareImage', 'TileWideImage', 'TileWideImageCollection', ...range('TileSquareText', 4), ...range('TileSquarePeekImageAndText', 4), ...range('TileWideText', 11),
    ...range('TileWideImageAndText', 2), ...range('TileWideBlockAndText', 2), ...range('TileWideSmallImageAndText', 5), ...range('TileWidePeekImageCollection', 6), ...range('TileWidePeekImageAndText', 2), ...range('TileWidePeekImage', 6)];
  const kPhone = ['sendToast', 'sendTile', 'sendFlipTile', 'sendIconicTile', 'sendCycleTile', 'sendRaw', 'send'];

  const escape = (value) => String(value ?? '').replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' })[c]);
  // text1, text2 … and image1src, image1alt … in the order of their numbers.
  function visual(kind, template, payload) {
    const given = typeof payload === 'object' && payload !== null ? payload : { text1: payload };
    let inner = '';
    for (let i = 1; i <= 20; i++) if (given[`image${i}src`] !== undefined) inner += `<image id="${i}" src="${escape(given[`image${i}src`])}" alt="${escape(given[`image${i}alt`])}"/>`;
    for (let i = 1; i <= 20; i++) if (given[`text${i}`] !== undefined) inner += `<text id="${i}">${escape(given[`text${i}`])}</text>`;
    const lang = given.lang === undefined ? '' : ` lang="${escape(given.lang)}"`;
    const launch = kind === 'toast' && given.launch !== undefined ? ` launch="${escape(given.launch)}"` : '';
    return `<${kind}${launch}><visual${lang}><binding template="${template}">${inner}</binding></visual></${kind}>`;
  }

  // Gives what makes one call's `push`. `by_tags`: targets are tags, whatever the service is set to.
  return (call, by_tags = false) => {
    function ask(method, args, given) {
      const options = given ?? {};
      if (typeof options !== 'object') throw new Error('The options must be an object.');
      const promised = new Pending();
      call.invoke(method, args, (error, value) => {
        if (error !== undefined) {
          const made = failure(error);
          reject(promised, made);
          if (typeof options.error === 'function') return options.error(made);
          if (looked_at(promised)) return undefined;
          throw made;
        }
        resolve(promised, value);
        return typeof options.success === 'function' ? options.success(value) : undefined;
      });
      return promised;
    }
    const to = (platform, target, payload, headers, options) => ask('push.platform', { platform, to: target, payload, headers, ...(by_tags ? { tags: true } : {}) }, options);
    const wns = {
      send: (target, payload, type, options) => (typeof type === 'string' ? to('wns', target, payload, { 'X-WNS-Type': type }, options) : to('wns', target, payload, {}, type)),
      sendRaw: (target, payload, options) => to('wns', target, payload, { 'X-WNS-Type': 'wns/raw' }, options),
      sendBadge: (target, payload, options) => to('wns', target, `<badge value="${escape(typeof payload === 'object' && payload !== null ? payload.value : payload)}"/>`, { 'X-WNS-Type': 'wns/badge' }, options),
    };
    for (const template of kToasts) wns[`send${template}`] = (target, payload, options) => to('wns', target, visual('toast', template, payload), { 'X-WNS-Type': 'wns/toast' }, options);
    for (const template of kTiles) wns[`send${template}`] = (target, payload, options) => to('wns', target, visual('tile', template, payload), { 'X-WNS-Type': 'wns/tile' }, options);
    const mpns = {};
    for (const name of kPhone) mpns[name] = (target, payload, options) => to('mpns', target, payload, {}, options);
    return {
      send: (tags, payload, options) => ask('push.send', { tags, payload: typeof payload === 'string' ? { message: payload } : payload }, options),
      apns: {
        send: (target, payload, options) => to('apns', target, payload, {}, options),
        getFeedback: (options) => ask('push.feedback', { platform: 'apns' }, options),
      },
      gcm: {
        send: (target, payload, options) => to('gcm', target, payload, {}, options),
        // Trying again is the queue's.
        sendAdvanced: (content, retries, options) => {
          const { registration_ids, registrationIds, ...message } = content ?? {};
          return to('gcm', registration_ids ?? registrationIds, message, {}, options);
        },
      },
      wns,
      mpns,
    };
  };
}
