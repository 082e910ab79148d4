// lockdown: no built-in can be changed, so that nothing can be left in one for the next call (SC-3).
'use strict';

// Freezes every object reachable from the globals and makes their names constant. `light` only takes away what no script
// may have, for a context that serves one call. Properties of the prototypes that people override by plain assignment
// (`error.message = …`, `thing.toString = …`) become accessors first, because a frozen data property would refuse that.
function lockdown(global, light) {
  'use strict';
  const { getOwnPropertyDescriptor, getPrototypeOf, defineProperty, freeze } = Object;
  const { ownKeys } = Reflect;
  for (const name of ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'FinalizationRegistry', 'WeakRef', 'console', 'eval']) delete global[name];
  // A reader of call sites could reach functions of other realms.
  defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, enumerable: false, configurable: false });
  if (light) return;
  // RegExp.$1, RegExp.input and their cousins remember the last text matched: the previous caller's.
  for (const name of ownKeys(RegExp)) if (typeof name === 'string' && /^(\$.|input|lastMatch|lastParen|leftContext|rightContext)$/.test(name)) delete RegExp[name];
  '1'.match(/1/);

  const overridable = (prototype) => {
    for (const key of ownKeys(prototype)) {
      const own = getOwnPropertyDescriptor(prototype, key);
      if (!('value' in own) || !own.configurable) continue;
      const value = own.value;
      defineProperty(prototype, key, {
        get() { return value; },
        set(other) {
          if (this === prototype || this === null || (typeof this !== 'object' && typeof this !== 'function')) throw new TypeError(`Cannot assign to read only property '${String(key)}'`);
          defineProperty(this, key, { value: other, writable: true, enumerable: true, configurable: true });
        },
        enumerable: own.enumerable, configurable: false,
      });
    }
  };
  const prototypes = [Object.prototype, Function.prototype, Promise.prototype];
  for (const name of ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'AggregateError']) prototypes.push(global[name].prototype);
  prototypes.forEach(overridable);

  const hidden = [
    function* () {}, async function () {}, async function* () {}, [][Symbol.iterator](), new Map().entries(), new Set().values(), ''[Symbol.iterator](),
    'a'.matchAll(/a/g), (function () { 'use strict'; return arguments; })(), getOwnPropertyDescriptor(Function.prototype, 'caller')?.get,
  ];
  const roots = [...hidden, ...ownKeys(global).filter((key) => key !== 'globalThis' && key !== 'global').map((key) => getOwnPropertyDescriptor(global, key)?.value)];
  const seen = new Set([global]);
  const queue = [];
  const reach = (value) => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) return;
    seen.add(value);
    queue.push(value);
  };
  roots.forEach(reach);
  while (queue.length) {
    const object = queue.pop();
    if (!ArrayBuffer.isView(object)) freeze(object);
    reach(getPrototypeOf(object));
    for (const key of ownKeys(object)) {
      const own = getOwnPropertyDescriptor(object, key);
      reach(own.value); reach(own.get); reach(own.set);
    }
  }
  for (const name of ownKeys(global)) {
    const own = getOwnPropertyDescriptor(global, name);
    if (own && 'value' in own && own.configurable) defineProperty(global, name, { value: own.value, writable: false, enumerable: own.enumerable, configurable: false });
  }
}
