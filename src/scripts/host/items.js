// items: what crosses between a script and the parent, and the options a script gives.

function items(load) {
  'use strict';
  const { Array, ArrayBuffer, Date, Error, Object, isFinite } = globalThis;
  const { isArray } = Array, { isView } = ArrayBuffer;
  const { defineProperty, hasOwn, keys } = Object;

  // Binary members leave as base64, as buffers always did.
  function plain(item) {
    if (item === null || typeof item !== 'object') return item;
    if (isArray(item)) return item.some((each) => each !== null && typeof each === 'object') ? item.map(plain) : item;
    let copy = item;
    for (const key of keys(item)) {
      const value = item[key];
      if (value === null || typeof value !== 'object' || !isView(value)) continue;
      if (copy === item) copy = { ...item };
      copy[key] = load('base64')(value);
    }
    return copy;
  }

  // The members `names` of a row of storage as dates: the parent knows the types of the columns.
  function date_row(row, names) {
    if (row === null || typeof row !== 'object') return;
    for (const name of names) {
      if (!hasOwn(row, name) || typeof row[name] !== 'string') continue;
      const made = new Date(row[name]);
      if (isFinite(made)) row[name] = made;
    }
  }
  /// An answer about rows, as scripts see it.
  function dated(answer) {
    const { dates, results, item, conflict } = answer;
    if (!isArray(dates)) return answer;
    if (isArray(results)) for (const row of results) date_row(row, dates);
    date_row(item, dates);
    date_row(conflict, dates);
    return answer;
  }
  /// What a call is about: the moments of its item are told in milliseconds.
  function date_context({ item, dates, conflict, conflictDates }) {
    if (dates !== undefined) for (const name of keys(dates)) item[name] = new Date(dates[name]);
    if (conflictDates !== undefined) date_row(conflict, conflictDates);
  }

  // Member by member and by definition, so that a member named __proto__ is a member.
  function merge(target, source) {
    for (const key of keys(source)) defineProperty(target, key, { value: source[key], writable: true, enumerable: true, configurable: true });
  }

  // The parent's error, as scripts see it.
  function failure(wire) {
    const error = new Error(wire.message || wire.code);
    error.code = wire.code;
    error.statusCode = wire.statusCode;
    if (wire.item !== undefined) error.item = wire.item;
    return error;
  }

  // Options of execute and of the table objects: an unknown or wrongly typed member throws.
  const kNone = Object.freeze({});
  function options(given, allowed) {
    if (given === undefined || given === null) return kNone;
    if (typeof given !== 'object') throw new Error('The options must be an object.');
    for (const key of keys(given)) {
      const value = given[key];
      const wanted = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
      if (wanted === undefined) throw new Error(`The option '${key}' is not supported here.`);
      if (value === undefined || value === null) continue;
      const fits = wanted === 'list' ? typeof value === 'string' || (isArray(value) && value.every((each) => typeof each === 'string')) : typeof value === wanted;
      if (!fits) throw new Error(`The option '${key}' must be ${wanted === 'list' ? 'an array of names' : `a ${wanted}`}.`);
    }
    return given;
  }

  // The options that storage needs to know.
  function shape(given) {
    const out = {};
    if (given.systemProperties !== undefined && given.systemProperties !== null) out.systemProperties = typeof given.systemProperties === 'string' ? given.systemProperties.split(',') : given.systemProperties;
    if (typeof given.includeDeleted === 'boolean') out.includeDeleted = given.includeDeleted;
    return out;
  }

  return { plain, dated, date_context, merge, failure, options, shape };
}
