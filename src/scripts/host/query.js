// query: the object of mobile-backend-wire 5.4, made inside the realm.

function query({ translate, fill, literal, column }) {
  const { Array, Error, Number, Object } = globalThis;

  const count = (value, what) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw new Error(`The argument of ${what} must be a whole number that is not negative.`);
    return value;
  };
  const names = (list) => list.flatMap((each) => {
    if (typeof each !== 'string') throw new Error('Column names must be text.');
    return each.split(',').map((one) => one.trim()).filter((one) => one !== '');
  });

  class Query {
    #state = { filters: null, selections: [], projection: null, ordering: [], skip: null, take: null, includeTotalCount: false, version: 0 };
    #table; #context; #read;

    constructor(table, context, read) {
      this.#table = table; this.#context = context; this.#read = read;
    }
    where(predicate, ...args) {
      let text;
      if (typeof predicate === 'function') text = translate(predicate, args);
      else if (typeof predicate === 'string') text = `(${fill(predicate, args)})`;
      else if (predicate !== null && typeof predicate === 'object' && !Array.isArray(predicate))
        text = Object.keys(predicate).map((key) => `(${column(key)} eq ${literal(predicate[key])})`).reduce((all, each) => (all ? `(${all} and ${each})` : each), '');
      else throw new Error('where takes an object, a function or OData text.');
      const state = this.#state;
      if (text) state.filters = state.filters ? `(${state.filters} and ${text})` : text;
      ++state.version;
      return this;
    }
    select(...list) {
      if (list.length === 1 && typeof list[0] === 'function') this.#state.projection = list[0];
      else this.#state.selections.push(...names(list).map((each) => (each === '*' ? each : column(each))));
      ++this.#state.version;
      return this;
    }
    #order(list, ascending) {
      for (const each of names(list)) {
        const [name, direction, ...rest] = each.split(/\s+/);
        if (rest.length || (direction !== undefined && direction !== 'asc' && direction !== 'desc')) throw new Error(`'${each}' is not a valid ordering.`);
        this.#state.ordering.push({ name: column(name), ascending: direction ? direction === 'asc' : ascending });
      }
      ++this.#state.version;
      return this;
    }
    orderBy(...list) { return this.#order(list, true); }
    orderByDescending(...list) { return this.#order(list, false); }
    skip(value) { this.#state.skip = count(value, 'skip'); ++this.#state.version; return this; }
    take(value) { this.#state.take = count(value, 'take'); ++this.#state.version; return this; }
    includeTotalCount() { this.#state.includeTotalCount = true; ++this.#state.version; return this; }
    getComponents() {
      const state = this.#state;
      const ordering = {};
      for (const each of state.ordering) ordering[each.name] = each.ascending;
      return {
        filters: state.filters, selections: [...state.selections], projection: state.projection, ordering, orderClauses: state.ordering.map((each) => ({ ...each })), skip: state.skip, take: state.take,
        table: this.#table, context: this.#context ?? null, includeTotalCount: state.includeTotalCount, version: state.version,
      };
    }
    setComponents(components) {
      if (components === null || typeof components !== 'object') throw new Error('setComponents takes an object.');
      const { filters = null, selections, projection = null, ordering, orderClauses, skip = null, take = null, includeTotalCount = false } = components;
      if (filters !== null && typeof filters !== 'string') throw new Error('The component filters must be OData text or null.');
      if (projection !== null && typeof projection !== 'function') throw new Error('The component projection must be a function or null.');
      const list = orderClauses ?? Object.keys(ordering ?? {}).map((name) => ({ name, ascending: ordering[name] }));
      this.#state = {
        filters, projection, selections: names([...(selections ?? [])]).map((each) => (each === '*' ? each : column(each))), ordering: list.map((each) => ({ name: column(each.name), ascending: each.ascending !== false })),
        skip: skip === null ? null : count(skip, 'skip'), take: take === null ? null : count(take, 'take'), includeTotalCount: includeTotalCount === true, version: this.#state.version + 1,
      };
      return this;
    }
    toOData() {
      const state = this.#state;
      const parts = [];
      if (state.filters) parts.push(`$filter=${state.filters.replace(/%/g, '%25').replace(/\+/g, '%2B').replace(/&/g, '%26').replace(/#/g, '%23').replace(/\?/g, '%3F')}`);
      if (state.ordering.length) parts.push(`$orderby=${Query.ordering(state)}`);
      if (state.skip) parts.push(`$skip=${state.skip}`);
      if (state.take !== null) parts.push(`$top=${state.take}`);
      if (state.selections.length) parts.push(`$select=${state.selections.join(',')}`);
      if (state.includeTotalCount) parts.push('$inlinecount=allpages');
      return `/${this.#table}${parts.length ? '?' : ''}${parts.join('&')}`;
    }
    read(options) {
      if (!this.#read) throw new Error('The query of a request is run by request.execute().');
      return this.#read(this, options);
    }

    static ordering(state) { return state.ordering.map((each) => (each.ascending ? each.name : `${each.name} desc`)).join(','); }
    static owns(object) { return typeof object === 'object' && object !== null && #state in object; }
    static tableOf(object) { return object.#table; }
    static projectionOf(object) { return object.#state.projection; }
    // What the parent understands: OData texts and numbers.
    static wire(object) {
      const state = object.#state;
      const out = { filter: state.filters ?? '', orderBy: Query.ordering(state), select: state.selections.join(',') };
      if (state.skip !== null) out.skip = state.skip;
      if (state.take !== null) out.top = state.take;
      if (state.includeTotalCount) out.inlineCount = true;
      if (object.id !== undefined) out.id = object.id;
      return out;
    }
    // The request's own query, as the parent describes it in the same words.
    static from(table, wire) {
      const made = new Query(table);
      const state = made.#state;
      state.filters = wire.filter ? `(${wire.filter})` : null;
      state.selections = wire.select ? names([wire.select]) : [];
      const orderings = !wire.orderBy ? [] : wire.orderBy.includes('(') ? [wire.orderBy] : names([wire.orderBy]);
      state.ordering = orderings.map((each) => (each.includes('(') ? { name: each, ascending: true } : { name: each.replace(/\s+(asc|desc)$/, ''), ascending: !/\sdesc$/.test(each) }));
      state.skip = wire.skip ?? null;
      state.take = wire.top ?? null;
      state.includeTotalCount = wire.inlineCount === true;
      if (wire.id !== undefined) made.id = wire.id;
      return made;
    }
  }
  return Query;
}
