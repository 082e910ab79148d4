// translate: the part of JavaScript that where(function) understands, and OData text with question marks, to OData.

function translating() {
  'use strict';
  // A global of a context is found through a slow hook of the engine; a local constant is not.
  const { Array, Date, Error, Number, Object, String, isFinite, parseInt } = globalThis;
  const kind_of = Object.prototype.toString;
  const sourceOf = Function.prototype.toString;
  const kName = /^[A-Za-z_@][A-Za-z0-9_-]*$/;

  const literal = (value) => {
    if (value === null || value === undefined) return 'null';
    if (typeof value === 'string') return `'${value.replace(/'/g, "''")}'`;
    if (typeof value === 'boolean') return String(value);
    if (typeof value === 'number' && isFinite(value)) return String(value);
    if (kind_of.call(value) === '[object Date]') return `datetime'${Date.prototype.toISOString.call(value)}'`;
    throw new Error(`A value of type '${typeof value}' cannot be used in a query.`);
  };
  const column = (name) => {
    if (typeof name !== 'string' || !kName.test(name)) throw new Error(`'${name}' is not a valid column name.`);
    return name;
  };

  // Tokens of the small part of JavaScript that where(function) understands.
  function tokens(text) {
    const out = [];
    const pattern = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|('(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*")|([A-Za-z_$][\w$]*)|(===|!==|==|!=|<=|>=|&&|\|\||[-+*\/%<>!()\[\].,;{}=?:&|^~])/y;
    while (pattern.lastIndex < text.length) {
      const at = pattern.lastIndex;
      const found = pattern.exec(text);
      if (!found) throw new Error(`The query function contains text that cannot be translated: '${text.slice(at, at + 20)}'.`);
      if (found[1] !== undefined) out.push({ kind: 'value', value: Number(found[1]) });
      else if (found[2] !== undefined) out.push({ kind: 'value', value: unquote(found[2]) });
      else if (found[3] !== undefined) out.push({ kind: 'name', text: found[3] });
      else if (found[4] !== undefined) out.push({ kind: 'mark', text: found[4] });
    }
    out.push({ kind: 'end', text: 'the end' });
    return out;
  }
  function unquote(text) {
    const simple = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', 0: '\0' };
    return text.slice(1, -1).replace(/\\(u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|\r\n|[\s\S])/g, (all, one, wide, four, two) => {
      const hex = wide || four || two;
      if (hex) return String.fromCodePoint(parseInt(hex, 16));
      if (one === '\n' || one === '\r\n') return '';
      return one in simple ? simple[one] : one;
    });
  }

  const kBinary = {
    '||': [1, 'or'], '&&': [2, 'and'], '==': [3, 'eq'], '===': [3, 'eq'], '!=': [3, 'ne'], '!==': [3, 'ne'], '<': [4, 'lt'], '<=': [4, 'le'], '>': [4, 'gt'], '>=': [4, 'ge'],
    in: [4, 'in'], '+': [5, 'add'], '-': [5, 'sub'], '*': [6, 'mul'], '/': [6, 'div'], '%': [6, 'mod'],
  };
  const kMethods = {
    toUpperCase: (x) => `toupper(${x})`, toLowerCase: (x) => `tolower(${x})`, trim: (x) => `trim(${x})`, indexOf: (x, a) => `indexof(${x},${a})`, concat: (x, a) => `concat(${x},${a})`,
    substring: (x, ...a) => `substring(${[x, ...a].join(',')})`, substr: (x, ...a) => `substring(${[x, ...a].join(',')})`, replace: (x, a, b) => `replace(${x},${a},${b})`,
    getFullYear: (x) => `year(${x})`, getUTCFullYear: (x) => `year(${x})`, getYear: (x) => `(year(${x}) sub 1900)`, getMonth: (x) => `(month(${x}) sub 1)`, getDate: (x) => `day(${x})`,
  };
  const kArity = { indexOf: [1, 1], concat: [1, 1], substring: [1, 2], substr: [1, 2], replace: [2, 2] };
  const kMath = { floor: 'floor', ceil: 'ceiling', round: 'round' };

  // A function's source to OData. Nodes are {text} for what the database must work out and {value} for what is known.
  function translate(fn, args) {
    const list = tokens(sourceOf.call(fn));
    let at = 0;
    const peek = (text) => list[at].kind !== 'value' && list[at].text === text;
    const take = (text) => {
      if (!peek(text)) throw new Error(`The query function cannot be translated: expected '${text}' but found '${list[at].kind === 'value' ? list[at].value : list[at].text}'. It must be of the form function () { return …; }.`);
      ++at;
    };
    const name = () => {
      if (list[at].kind !== 'name') throw new Error('The query function cannot be translated: expected a name.');
      return list[at++].text;
    };
    const has = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
    const text = (node) => ('text' in node ? node.text : literal(node.value));

    take('function');
    if (list[at].kind === 'name') ++at;
    take('(');
    const parameters = [];
    while (!peek(')')) {
      parameters.push(name());
      if (!peek(')')) take(',');
    }
    take(')'); take('{');
    if (list[at].kind === 'value' && list[at].value === 'use strict') { ++at; if (peek(';')) ++at; }
    take('return');
    const result = binary(0, 0);
    if (peek(';')) ++at;
    take('}');
    if (list[at].kind !== 'end') throw new Error('The query function must contain one return statement only.');
    return text(result);

    function deeper(depth) {
      if (depth > 200) throw new Error('The query function is nested too deeply.');
      return depth + 1;
    }
    function binary(least, depth) {
      depth = deeper(depth);
      let left = unary(depth);
      for (;;) {
        const token = list[at];
        const operator = token.kind !== 'value' && has(kBinary, token.text) ? kBinary[token.text] : undefined;
        if (!operator || operator[0] <= least) return left;
        ++at;
        const right = binary(operator[0], depth);
        left = operator[1] === 'in' ? within(left, right) : { text: `(${text(left)} ${operator[1]} ${text(right)})` };
      }
    }
    function within(left, right) {
      if (!Array.isArray(right.value)) throw new Error("The right side of 'in' must be an array.");
      if (right.value.length === 0) return { text: '(true eq false)' };
      return { text: right.value.map((each) => `(${text(left)} eq ${literal(each)})`).reduce((all, each) => `(${all} or ${each})`) };
    }
    function unary(depth) {
      depth = deeper(depth);
      if (peek('!')) { ++at; return { text: `not (${text(unary(depth))})` }; }
      if (peek('-')) {
        ++at;
        const of = unary(depth);
        return typeof of.value === 'number' ? { value: -of.value } : { text: `(0 sub ${text(of)})` };
      }
      if (peek('+') && list[at + 1].kind === 'value') { ++at; return unary(depth); }
      return postfix(primary(depth), depth);
    }
    function primary(depth) {
      const token = list[at++];
      if (token.kind === 'value') return { value: token.value };
      if (token.kind === 'mark' && token.text === '(') {
        const inner = binary(0, depth);
        take(')');
        return inner;
      }
      if (token.kind === 'mark' && token.text === '[') {
        const values = [];
        while (!peek(']')) {
          const each = binary(0, depth);
          if ('text' in each) throw new Error('An array in a query function may hold constants only.');
          values.push(each.value);
          if (!peek(']')) take(',');
        }
        take(']');
        return { value: values };
      }
      if (token.kind !== 'name') throw new Error(`The query function cannot be translated: unexpected '${token.text}'.`);
      switch (token.text) {
        case 'true': return { value: true };
        case 'false': return { value: false };
        case 'null': case 'undefined': return { value: null };
        case 'this': {
          take('.');
          return { text: column(name()) };
        }
        case 'Math': {
          take('.');
          const which = name();
          if (!has(kMath, which)) throw new Error(`Math.${which} cannot be used in a query.`);
          const given = list_of_arguments(depth);
          if (given.length !== 1) throw new Error(`Math.${which} takes one argument.`);
          return { text: `${kMath[which]}(${given[0]})` };
        }
      }
      const position = parameters.indexOf(token.text);
      if (position < 0) throw new Error(`'${token.text}' is not defined. A query function sees only 'this' and its parameters.`);
      if (position >= args.length) throw new Error(`No value was given for parameter '${token.text}' of the query function.`);
      return { value: args[position] };
    }
    function postfix(node, depth) {
      while (peek('.')) {
        ++at;
        const member = name();
        if (peek('(')) {
          if (!has(kMethods, member)) throw new Error(`Method '${member}' cannot be used in a query.`);
          const given = list_of_arguments(depth);
          const [least, most] = has(kArity, member) ? kArity[member] : [0, 0];
          if (given.length < least || given.length > most) throw new Error(`Method '${member}' was given ${given.length} arguments in a query.`);
          node = { text: kMethods[member](text(node), ...given) };
        } else if ('value' in node && node.value !== null && typeof node.value === 'object' && has(node.value, member)) {
          node = { value: node.value[member] };
        } else if (member === 'length') {
          node = { text: `length(${text(node)})` };
        } else {
          throw new Error(`Member '${member}' cannot be used in a query.`);
        }
      }
      return node;
    }
    function list_of_arguments(depth) {
      take('(');
      const out = [];
      while (!peek(')')) {
        out.push(text(binary(0, depth)));
        if (!peek(')')) take(',');
      }
      take(')');
      return out;
    }
  }

  // OData text with '?' outside of quotes replaced by literals, in order.
  function fill(text, args) {
    let next = 0;
    const out = text.replace(/'(?:[^']|'')*'|\?/g, (found) => {
      if (found !== '?') return found;
      if (next >= args.length) throw new Error('There are more question marks in the query than values.');
      return literal(args[next++]);
    });
    if (next < args.length) throw new Error('There are more values than question marks in the query.');
    return out;
  }

  return { translate, fill, literal, column };
}
