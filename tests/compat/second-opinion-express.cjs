// Loaded before an app: `express` is the one that azure-mobile-apps brings, and the port that the app got is printed.
'use strict';
const Module = require('node:module'), net = require('node:net');
const resolve = Module._resolveFilename, theirs = Module.createRequire(require.resolve('azure-mobile-apps')).resolve('express');
Module._resolveFilename = function (name, ...rest) { return name === 'express' ? theirs : resolve.call(this, name, ...rest); };
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port) { return listen.call(this, Number(port), '127.0.0.1', () => console.log(this.address().port)); };
