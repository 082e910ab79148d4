// Stands for Node's util, assert and stream in bundles for a browser, as far as packages of 2016 look at them there.
'use strict';
function assert(value, message) { if (!value) throw new Error(message || 'assertion failed'); }
module.exports = Object.assign(assert, {
  ok: assert, equal(a, b) { assert(a == b); }, strictEqual(a, b) { assert(a === b); }, AssertionError: Error,
  Stream: function Stream() {},
  inherits(child, parent) { child.super_ = parent; Object.setPrototypeOf(child.prototype, parent.prototype); },
  format(text, ...values) { return String(text).replace(/%[sdj]/g, () => String(values.shift())); },
  inspect: (value) => JSON.stringify(value),
  isArray: Array.isArray, isDate: (value) => value instanceof Date, isRegExp: (value) => value instanceof RegExp, isError: (value) => value instanceof Error,
});
