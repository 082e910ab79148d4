exports.register = function (registration, context, done) {
  if (registration.tags.indexOf('forbidden') >= 0) return done('not that tag');
  registration.tags.push('service:' + context.config.name);
  done();
};
